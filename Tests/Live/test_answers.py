"""The pages' replies to actions: visible wherever the page is scrolled, gone after a while, and beside the field
concerned."""
import unittest

from playwright.sync_api import expect

from Tests.Live.open_page import OpenPage

TURNING = "\u202e"  # the text after it is shown from right to left


class Answers(OpenPage):
    def test_what_failed_far_down_a_page_is_seen_there_and_goes_when_it_is_mended(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)
        page.goto(f"{self.service.url}/gardens/{garden}")
        look = page.get_by_role("button", name="Check watering")
        page.route("**/insights", lambda route: route.abort())
        look.click()
        notice = page.locator("#notice")
        expect(notice).to_have_text("The server cannot be reached.")
        expect(notice).to_be_in_viewport()
        self.assertGreater(page.evaluate("scrollY"), 300)
        self.objections.clear()  # the browser logs it, too
        page.fill("#garden-area", "12")
        page.locator("#keeping form", has=page.locator("#garden-area")).get_by_role("button", name="Save").click()
        # The last action, for a while.
        said = page.locator("#said")
        expect(said).to_have_text("Saved")
        expect(notice).to_be_hidden()
        expect(said).to_be_in_viewport(ratio=1)
        self.assertGreater(said.bounding_box()["height"], 30)
        self.look(page)
        expect(said).to_be_empty()

    def test_a_price_s_faults_are_said_beside_it(self):
        page, token = self.signed_in("/")
        shop, _ = self.shop(token)
        page.goto(f"{self.service.url}/shops/{shop}")
        self.refuse(422, f"/api/businesses/{shop}/products")
        page.fill("#product-name", "Leeks")
        form = page.locator("#new-product")
        for price, currency, field, words in (
                ("3.50", "", "currency", "is required"), ("3.50", "E1R", "currency", "ISO 4217"), ("", "EUR", "price", "must be a number such as 3.50"),
                ("9" * 20, "EUR", "price", "is too large")):
            page.fill("#product-price", price)
            page.fill("#product-currency", currency)
            form.get_by_role("button").click()
            expect(page.locator(f"#product-{field}-fault")).to_contain_text(words)
            expect(page.locator(f"#product-{field}")).to_be_focused()
            expect(form.get_by_role("alert")).to_be_hidden()
        page.fill("#product-price", "3,50")
        page.fill("#product-currency", "eur")
        form.get_by_role("button").click()
        expect(page.locator("#products")).to_contain_text("Leeks")

    def test_what_is_missing_is_said_beside_it(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)
        self.refuse(422, "/api/.*")
        page.goto(f"{self.service.url}/gardens/{garden}")
        save = page.locator("#keeping form", has=page.locator("#garden-name")).get_by_role("button", name="Save")
        page.fill("#garden-name", "")
        page.fill("#garden-latitude", "48")
        save.click()
        for field in ("name", "longitude"):
            expect(page.locator(f"#garden-{field}-fault")).to_have_text("is required")
        page.goto(f"{self.service.url}/account")
        form = page.locator("#new-channel form")
        page.fill("#new-target", "somebody@example.org")
        for event in ("insight", "device", "order"):
            page.locator(f"#new-{event}").uncheck()
        form.get_by_role("button", name="Add channel").click()
        expect(page.locator("fieldset .fault")).to_contain_text("1 to 3")
        expect(page.locator("#new-insight")).to_be_focused()

    def test_what_is_typed_for_one_product_stays_when_another_is_deleted(self):
        page, token = self.signed_in("/")
        shop, [leeks, _] = self.shop(token, Leeks=9, Carrots=9)
        page.goto(f"{self.service.url}/shops/{shop}")
        page.fill(f"#price-{leeks}", "4.20")
        page.fill(f"#stock-{leeks}", "55")
        page.get_by_label("Delete Carrots").click()
        expect(page.locator("#products > li")).to_have_count(1)
        expect(page.locator(f"#price-{leeks}")).to_have_value("4.20")
        page.get_by_label("Save Leeks").click()
        expect(page.locator("#said")).to_have_text("Leeks is saved")
        product = self.seen(f"/api/products/{leeks}")
        self.assertEqual((product["stock"], product["price"]["amount"]), (55, 420))

    def test_what_is_typed_for_one_channel_stays_when_another_is_switched_off(self):
        page, token = self.signed_in("/")
        first, second = [f"https://203.0.113.7/{number}" for number in (1, 2)]
        for target in (first, second):
            made = self.make("/api/channels", {"kind": "webhook", "target": target, "events": ["order"]}, token)
        page.goto(f"{self.service.url}/account")
        page.get_by_label(f"Change {second}").click()
        page.fill(f"[id='{made}-target']", f"{second}/3")
        page.fill(f"[id='{made}-from']", "22:00")
        page.get_by_label(f"Switch off {first}").click()
        expect(page.locator("#channel-list .fault")).to_have_text("Switched off")
        expect(page.locator(f"[id='{made}-target']")).to_be_visible()
        expect(page.locator(f"[id='{made}-target']")).to_have_value(f"{second}/3")
        page.fill(f"[id='{made}-to']", "06:00")
        page.get_by_label(f"Save {second}").click()
        card = page.locator(f"[id='channel-{made}']")
        expect(card.get_by_role("heading")).to_have_text(f"{second}/3")
        expect(card).to_contain_text("quiet from 22:00 to 06:00")

    def test_what_is_chosen_for_one_member_stays_when_another_is_removed(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)
        for name in ("ada", "grace"):
            self.make(f"/api/gardens/{garden}/members", {"email": f"{name}@example.org", "role": "viewer"}, token)
        page.goto(f"{self.service.url}/gardens/{garden}")
        role = page.get_by_label("Role of grace@example.org", exact=True)
        role.select_option("editor")
        page.fill("#member-email", "flora@example.org")
        page.get_by_label("Remove ada@example.org").click()
        expect(page.locator("#members li")).to_have_count(1)
        expect(role).to_have_value("editor")
        page.get_by_role("button", name="Invite").click()
        expect(page.locator("#members pre")).to_contain_text("/invitations/")
        page.get_by_label("Save the role of grace@example.org").click()
        expect(page.locator("#members li").filter(has_text="grace")).to_contain_text("invited as editor")
        expect(page.locator("#member-email")).to_have_value("")

    def test_a_name_turns_nothing_round_beside_it(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)
        self.make(f"/api/gardens/{garden}/devices", {"name": f"{TURNING}Tomato bed"}, token)
        page.goto(f"{self.service.url}/gardens/{garden}")
        facts = page.locator("#device-list .quiet")
        expect(facts).to_have_text("· has not reported yet", use_inner_text=True)
        # Its letters still go from left to right.
        places = facts.evaluate("""(node) => [...node.textContent].map((letter, index) => {
            const range = document.createRange();
            range.setStart(node.firstChild, index);
            range.setEnd(node.firstChild, index + 1);
            return range.getBoundingClientRect().left;
        })""")
        self.assertEqual(places, sorted(places))
