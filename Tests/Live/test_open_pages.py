"""Pages that stay open while data changes: other users' changes are kept, late answers show nothing outdated, and what
is sent twice counts once."""
import re
import unittest
import uuid

from playwright.sync_api import expect

from Tests.Live.open_page import BEHIND, PUT, OpenPage
from Tests.Live.service import PASSWORD

DAY_OF_25_HOURS = "2026-10-25"
# In Chile, whose clocks go from 24:00 of the day before to one o'clock.
DAY_WITHOUT_MIDNIGHT = "2026-09-06"


class OpenPages(OpenPage):
    def test_a_seller_changes_what_was_typed_and_nothing_that_was_sold_meanwhile(self):
        seller, selling = self.signed_in("/")
        shop, [eggs] = self.shop(selling, Eggs=10)
        seller.goto(f"{self.service.url}/shops/{shop}")
        stock, price, save = seller.locator(f"#stock-{eggs}"), seller.locator(f"#price-{eggs}"), seller.get_by_label("Save Eggs")
        expect(stock).to_have_value("10")
        buying = self.service.sign_up()
        self.order(buying, shop, eggs, 8)
        price.fill("3,80")
        save.click()
        expect(seller.locator("#said")).to_have_text("Eggs is saved")
        product = self.seen(f"/api/products/{eggs}")
        self.assertEqual((product["stock"], product["price"]["amount"]), (2, 380))
        # Only a user who has seen the stock changes it.
        expect(stock).to_have_value("2")
        self.order(buying, shop, eggs)
        stock.fill("12")
        save.click()
        notice = seller.locator("#products li").get_by_role("alert")
        expect(notice).to_contain_text("1 now")
        self.assertEqual(self.seen(f"/api/products/{eggs}")["stock"], 1)
        stock.fill("4")
        with seller.expect_response(lambda answer: answer.request.method == "PATCH"):
            save.click()
        expect(notice).to_be_hidden()
        self.assertEqual(self.seen(f"/api/products/{eggs}")["stock"], 4)
        price.fill("3.8o")
        save.click()
        expect(seller.locator(f"#price-{eggs}-fault")).to_contain_text("must be a number")

    def test_a_garden_is_made_in_the_time_zone_of_the_browser(self):
        page, _ = self.signed_in("/")
        page.fill("#garden-name", "South slope")
        page.get_by_role("button", name="Make garden").click()
        zone = page.locator("#garden-zone")
        expect(zone).to_have_value("Europe/Paris")
        offered = zone.evaluate("(field) => [...field.list.options].map(({ value }) => value)")
        self.assertIn("Asia/Tokyo", offered)

    def test_a_garden_is_made_although_the_server_does_not_know_the_time_zone(self):
        page, _ = self.signed_in("/")
        page.context.add_init_script("""const options = Intl.DateTimeFormat.prototype.resolvedOptions;
            Intl.DateTimeFormat.prototype.resolvedOptions = function () { return { ...options.call(this), timeZone: "Mars/Gale" }; };""")
        page.reload()
        self.refuse(422, "/api/gardens")
        page.fill("#garden-name", "South slope")
        page.get_by_role("button", name="Make garden").click()
        expect(page.locator("#garden-zone")).to_have_value("UTC")

    def test_a_garden_that_was_made_private_stays_private(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope", "public": True, "soil": "loam"}, token)
        page.goto(f"{self.service.url}/gardens/{garden}")
        expect(page.locator("#garden-public")).to_be_checked()
        self.change(f"/api/gardens/{garden}", {"public": False, "soil": "clay"}, token)
        page.fill("#garden-area", "12")
        page.locator("#keeping form", has=page.locator("#garden-area")).get_by_role("button", name="Save").click()
        expect(page.locator("#said")).to_have_text("Saved")
        seen = self.seen(f"/api/gardens/{garden}", token)
        self.assertEqual((seen["areaSquareMetres"], seen["public"], seen["soil"]), (12, False, "clay"))

    def test_a_shop_and_an_account_keep_what_was_changed_elsewhere(self):
        page, token = self.signed_in("/")
        shop, _ = self.shop(token)
        description = {"description": "Two\nlines", "fulfilment": ["delivery"]}
        self.change(f"/api/businesses/{shop}", description, token)
        page.goto(f"{self.service.url}/shops/{shop}")
        expect(page.locator("#shop-name")).to_have_value("Hill Farm")
        self.change(f"/api/businesses/{shop}", {"category": "bread"}, token)
        page.fill("#shop-hours", "12")
        page.locator("#shop-settings").get_by_role("button", name="Save").click()
        expect(page.locator("#said")).to_have_text("Saved")
        seen = self.seen(f"/api/businesses/{shop}")
        self.assertEqual({**seen, "category": "bread", "paymentWithin": 12, **description}, seen)
        channel = {"kind": "webhook", "target": "https://203.0.113.7/", "events": ["order"],
                   "quietHours": {"from": "22:00", "to": "06:00", "timeZone": "Europe/Paris"}}
        made = self.make("/api/channels", channel, token)
        page.goto(f"{self.service.url}/account")
        page.get_by_label(f"Change {channel['target']}").click()
        page.locator(f"[id='{made}-severity']").select_option("warning")
        page.get_by_label(f"Save {channel['target']}").click()
        expect(page.locator("#said")).to_have_text(f"{channel['target']} is saved")
        seen = self.seen(f"/api/channels/{made}", token)
        self.assertEqual({**seen, "minimumSeverity": "warning", "quietHours": channel["quietHours"]}, seen)

    def test_an_order_whose_answer_was_lost_is_placed_once(self):
        selling = self.service.sign_up()
        shop, [milk] = self.shop(selling, Milk=None)
        buyer, buying = self.signed_in(f"/shops/{shop}")
        buyer.get_by_label("Add Milk to the basket").click()

        def lose(route):
            self.assertEqual(route.fetch().status, 201)
            route.abort()

        buyer.route("**/api/orders", lose)
        button = buyer.locator("#order").get_by_role("button", name="Order")
        button.click()
        expect(buyer.locator("#order").get_by_role("alert")).to_have_text("The server cannot be reached.")
        self.objections.clear()  # the browser logs it, too
        buyer.unroute("**/api/orders")
        buyer.reload()
        button.click()
        expect(buyer.locator("#bought > li")).to_have_count(1)
        self.assertEqual(len(self.seen("/api/orders?role=buyer", buying)["items"]), 1)
        # A basket of its own is another order.
        buyer.goto(f"{self.service.url}/shops/{shop}")
        buyer.get_by_label("Add Milk to the basket").click()
        button.click()
        expect(buyer.locator("#bought > li")).to_have_count(2)

    def test_what_is_made_twice_since_its_answer_was_lost_is_there_once(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)

        def lost(path, name):
            """Presses a button twice, the first time in vain."""
            def lose(route):
                if route.request.method != "POST":
                    return route.continue_()
                self.assertEqual(route.fetch().status, 201)
                route.abort()

            page.route(f"**{path}", lose)
            button = page.get_by_role("button", name=name)
            button.click()
            expect(page.get_by_role("alert").filter(visible=True)).to_have_text("The server cannot be reached.")
            self.objections.clear()  # the browser logs it, too
            page.unroute(f"**{path}")
            button.click()

        page.goto(f"{self.service.url}/gardens/{garden}")
        devices = page.locator("#device-list > li")
        page.fill("#device-name", "Tomato bed")
        lost(f"/api/gardens/{garden}/devices", "Add device")
        expect(page.locator("#key-text")).to_contain_text("tdk_")
        expect(devices).to_have_count(1)
        # The same once more is another one.
        page.fill("#device-name", "Tomato bed")
        page.get_by_role("button", name="Add device").click()
        expect(devices).to_have_count(2)
        page.goto(f"{self.service.url}/account")
        page.fill("#token-name", "Grafana")
        lost("/api/tokens", "Make token")
        expect(page.locator("#token code")).to_contain_text("tpt_")
        expect(page.locator("#token-list > li")).to_have_count(1)

    def test_what_is_shown_only_once_is_shown_although_its_list_cannot_be_loaded_again(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)

        def make(path, name):
            """Presses a button; the list that the page loads afterwards does not come."""
            page.route(f"**{path}?limit=100", lambda route: route.abort())
            page.get_by_role("button", name=name).click()
            expect(page.get_by_role("alert").filter(visible=True)).to_have_text("The server cannot be reached.")
            page.unroute(f"**{path}?limit=100")

        page.goto(f"{self.service.url}/account")
        page.fill("#token-name", "Grafana")
        make("/api/tokens", "Make token")
        expect(page.locator("#token code")).to_contain_text("tpt_")
        page.reload()
        page.locator("#new-kind").select_option("webhook")
        page.fill("#new-target", "https://203.0.113.7/orders")
        make("/api/channels", "Add channel")
        expect(page.locator("#secret code")).to_contain_text("whsec_")
        page.goto(f"{self.service.url}/gardens/{garden}")
        page.fill("#member-email", "flora@example.org")
        make(f"/api/gardens/{garden}/members", "Invite")
        expect(page.locator("#members pre")).to_contain_text("/invitations/")
        self.objections.clear()  # the browser logs what was aborted, too

    def press_in_vain(self, page, button, path):
        """Presses a button; the request is served, and its answer lost."""
        def lose(route):
            self.assertIn(route.fetch().status, (200, 201))
            route.abort()

        page.route(path, lose)
        button.click()
        expect(page.get_by_role("alert").filter(visible=True)).to_have_text("The server cannot be reached.")
        self.objections.clear()  # the browser logs it, too
        page.unroute(path)

    def test_who_registers_again_since_an_answer_was_lost_has_the_account(self):
        page = self.person("/register")
        for field, words in (("name", "Rosa"), ("email", f"{uuid.uuid4().hex}@example.org"), ("password", PASSWORD)):
            page.fill(f"#{field}", words)
        button = page.get_by_role("button", name="Register")
        for path in ("**/api/users", "**/api/sessions/cookie"):
            self.press_in_vain(page, button, path)
        button.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Rosa")

    def test_who_accepts_an_invitation_again_since_the_answer_was_lost_is_a_member(self):
        owning = self.service.sign_up()
        garden = self.make("/api/gardens", {"name": "South slope"}, owning)
        page, token = self.signed_in("/")
        guest = {"email": self.seen("/api/users/me", token)["email"], "role": "viewer"}
        invitation = self.service.call("POST", f"/api/gardens/{garden}/members", guest, owning)[1]["token"]
        page.goto(f"{self.service.url}/invitations/{invitation}")
        button = page.get_by_role("button", name="Accept")
        self.press_in_vain(page, button, "**/api/invitations/*")
        button.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("South slope")

    def test_a_buyer_pays_what_the_page_has_shown_or_is_asked_again(self):
        selling = self.service.sign_up()
        shop, [milk] = self.shop(selling, Milk=None)
        buyer, buying = self.signed_in(f"/shops/{shop}")
        buyer.get_by_label("Add Milk to the basket").click()
        expect(buyer.locator("#total")).to_have_text("Total: €3.50")
        self.change(f"/api/products/{milk}", {"price": {"amount": 35_000}}, selling)
        self.refuse(409, "/api/orders")
        button = buyer.locator("#order").get_by_role("button", name="Order")
        button.click()
        expect(buyer.locator("#order").get_by_role("alert")).to_contain_text("Total: €350.00")
        expect(buyer.locator("#products")).to_contain_text("€350.00 per box")
        expect(buyer.locator("#total")).to_have_text("Total: €350.00")
        self.assertEqual(self.seen("/api/orders?role=buyer", buying)["items"], [])
        button.click()
        expect(buyer.locator("#bought > li")).to_have_count(1)
        [order] = self.seen("/api/orders?role=buyer", buying)["items"]
        self.assertEqual(order["total"], {"amount": 35_000, "currency": "EUR"})

    def test_an_order_is_placed_by_a_server_that_knows_no_expected_total(self):
        shop, _ = self.shop(self.service.sign_up(), Milk=None)
        buyer, buying = self.signed_in(f"/shops/{shop}")
        buyer.get_by_label("Add Milk to the basket").click()
        sent = []

        def answer(route):
            sent.append(route.request.post_data_json)
            if "expectedTotal" not in sent[-1]:
                return route.continue_()
            faults = [{"pointer": "/expectedTotal", "detail": "is not a known member"}]
            route.fulfill(status=422, content_type="application/problem+json", json={"type": "urn:terroir:problem:validation-failed", "errors": faults})

        buyer.route("**/api/orders", answer)
        self.refuse(422, "/api/orders")
        buyer.locator("#order").get_by_role("button", name="Order").click()
        expect(buyer.locator("#bought > li")).to_have_count(1)
        self.assertEqual([body.get("expectedTotal") for body in sent], [{"amount": 350, "currency": "EUR"}, None])
        self.assertEqual(len(self.seen("/api/orders?role=buyer", buying)["items"]), 1)

    def test_a_quantity_that_is_not_there_is_named_and_marked(self):
        selling = self.service.sign_up()
        shop, [milk, eggs] = self.shop(selling, Milk=None, Eggs=1)
        buyer, _ = self.signed_in(f"/shops/{shop}")
        for name in ("Milk", "Eggs"):
            buyer.get_by_label(f"Add {name} to the basket").click()
        quantity = buyer.locator(f"#quantity-{eggs}")
        quantity.fill("4")
        self.refuse(409, "/api/orders")
        buyer.locator("#order").get_by_role("button", name="Order").click()
        expect(buyer.locator("#order").get_by_role("alert")).to_have_text("Eggs is more than the 1 left")
        expect(quantity).to_be_focused()
        expect(quantity).to_have_attribute("aria-invalid", "true")
        expect(buyer.locator(f"#quantity-{milk}")).not_to_have_attribute("aria-invalid", "true")
        quantity.fill("1")
        quantity.press("Tab")
        expect(quantity).not_to_have_attribute("aria-invalid", "true")

    def test_a_wrong_password_is_said_beside_its_field(self):
        page, _ = self.signed_in("/account")
        page.fill("#current", "guess")
        page.fill("#new", "an entirely new one")
        self.refuse(403, "/api/users/me")
        page.get_by_role("button", name="Change password").click()
        expect(page.locator("#current-fault")).to_have_text("is wrong")
        expect(page.locator("#current")).to_be_focused()

    def test_a_file_that_does_not_come_is_said_in_words(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)
        page.goto(f"{self.service.url}/gardens/{garden}")
        page.get_by_text("Readings as a CSV file").click()
        alert = page.locator("#csv").get_by_role("alert")
        for answer, words in ((lambda route: route.abort(), "The server cannot be reached."),
                              (lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"), "The server answered 502.")):
            page.route("**/readings?*", answer)
            page.get_by_role("button", name="Download").click()
            expect(alert).to_have_text(words)
            page.unroute("**/readings?*")
        self.objections.clear()  # the browser logs them, too

    def test_who_empties_a_basket_by_keyboard_stays_where_it_was(self):
        selling = self.service.sign_up()
        shop, _ = self.shop(selling, Milk=None, Eggs=None)
        buyer, _ = self.signed_in(f"/shops/{shop}")
        for name in ("Milk", "Eggs"):
            buyer.get_by_label(f"Add {name} to the basket").click()
        for name, focused in (("Milk", "Basket"), ("Eggs", "Products")):
            buyer.get_by_label(f"Remove {name}").press("Enter")
            expect(buyer.locator(":focus")).to_have_text(focused)

    def test_tab_leads_from_a_quantity_to_what_stands_beside_it(self):
        shop, _ = self.shop(self.service.sign_up(), Milk=None, Eggs=None)
        buyer, _ = self.signed_in(f"/shops/{shop}")
        for name in ("Milk", "Eggs"):
            buyer.get_by_label(f"Add {name} to the basket").click()
        buyer.get_by_label("Quantity of Milk").focus()
        for key in ("Control+A", "3", "Tab"):
            buyer.keyboard.press(key)
        expect(buyer.locator("#total")).to_have_text("Total: €14.00")
        expect(buyer.get_by_label("Remove Milk")).to_be_focused()

    def test_amounts_have_the_digits_of_their_currency(self):
        page = self.person("/shops")
        for currency, amount, shown, typed in (
                ("HUF", 120_050, "1,200.50", "1200.50"), ("IQD", 1_234_500, "1,234.500", "1234.500"), ("EUR", 350, "3.50", "3.50"),
                ("JPY", 350, "350", "350"), ("CLF", 12_345, "1.2345", "1.2345")):
            found = page.evaluate("""async (price) => {
                const { minor, money, plain } = await import("/assets/money.js");
                return [money(price), plain(price), minor(plain(price), price.currency), minor(plain(price).replace(".", ","), price.currency)];
            }""", {"amount": amount, "currency": currency})
            price = {"amount": amount, "currency": currency}
            self.assertEqual([re.sub("[^0-9.,]", "", found[0]), *found[1:]], [shown, typed, price, price])

    def test_the_newest_insights_are_those_of_all_gardens(self):
        page, token = self.signed_in("/")
        first = self.make("/api/gardens", {"name": "Bottom field"}, token)
        for number in range(20):
            self.make("/api/gardens", {"name": f"Bed {number}"}, token)
        device = self.service.call("POST", f"/api/gardens/{first}/devices", {"name": "Probe"}, token)[1]
        self.service.call("POST", "/api/readings", {"readings": [{"sensorType": "soil_moisture", "value": 41}]}, device["key"])
        page.route(f"**/api/gardens/{first}/insights?*", lambda route: route.fulfill(json={"nextCursor": None, "items": [{
            "id": first, "gardenId": first, "severity": "warning", "title": "Frost tonight", "text": "Cover the beans.",
            "createdAt": "2026-04-01T18:00:00.000Z"}]}))
        page.goto(self.service.url)
        expect(page.locator("#insights")).to_contain_text("Frost tonight")
        expect(page.locator("#insights").get_by_role("link", name="Bottom field")).to_be_visible()
        expect(page.locator("#gardens > li").last).to_contain_text("41 %")

    def test_a_time_that_is_chosen_while_a_garden_loads_stays(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)
        held = []
        page.route("**/insights?limit=5", lambda route: held.append(route))
        with page.expect_response("**/data?range=day"):
            page.goto(f"{self.service.url}/gardens/{garden}")
        with page.expect_response("**/data?range=week"):
            page.locator("input[value=week]").check(force=True)
        shown = page.locator("#shown")
        expect(shown).not_to_be_empty()
        week = shown.inner_text()
        self.assertEqual(len(held), 1)
        held[0].continue_()
        # The rest of the page is updated with it.
        expect(page.locator("#facts")).to_have_text("A private garden")
        expect(shown).to_have_text(week)

    def test_a_day_of_25_hours_is_shown_whole(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)
        page.goto(f"{self.service.url}/gardens/{garden}")
        expect(page.locator("#shown")).not_to_be_empty()
        page.get_by_text("Other days").click()
        for name in ("from", "to"):
            page.fill(f"#{name}", DAY_OF_25_HOURS)
        with page.expect_request("**/data?from=*") as asked:
            page.locator("#span").get_by_role("button", name="Show").click()
        self.assertIn("from=2026-10-24T22:00:00.000Z&to=2026-10-25T23:00:00.000Z", asked.value.url)
        days = page.evaluate("""async () => {
            const { Chart } = await import("/assets/chart.js");
            const chart = new Chart({ title: "Days" });
            chart.figure.style.width = "700px"; // room for a label a day
            document.body.append(chart.figure);
            chart.show({ from: Date.parse("2026-10-22T12:00+02:00"), to: Date.parse("2026-10-29T12:00+01:00"), gap: 1, times: [], series: [] });
            return [...chart.figure.querySelectorAll("svg text:not(.value):not(.none)")].map((node) => node.textContent);
        }""")
        self.assertEqual([re.search("[0-9]+", day)[0] for day in days], [str(day) for day in range(23, 30)])

    def test_a_day_without_midnight_ends_where_the_next_one_begins(self):
        garden = self.make("/api/gardens", {"name": "South slope", "public": True}, self.service.sign_up())
        context = self.browser.new_context(timezone_id="America/Santiago")
        self.addCleanup(context.close)
        page = context.new_page()
        page.on("console", self.hear)
        page.goto(f"{self.service.url}/gardens/{garden}")
        expect(page.locator("#shown")).not_to_be_empty()
        page.get_by_text("Other days").click()
        page.get_by_text("Readings as a CSV file").click()
        expect(page.get_by_role("button", name="Download")).to_be_enabled()
        for form, button, path in (("span", "Show", "**/data?from=*"), ("csv", "Download", "**/readings?from=*")):
            for field in page.locator(f"#{form} input[type=date]").all():
                field.fill(DAY_WITHOUT_MIDNIGHT)
            with page.expect_request(path) as asked:
                page.locator(f"#{form}").get_by_role("button", name=button).click()
            self.assertIn("from=2026-09-06T04:00:00.000Z&to=2026-09-07T03:00:00.000Z", asked.value.url.replace("%3A", ":"))

    def test_a_search_is_not_mixed_with_the_list_that_it_overtook(self):
        token = self.service.sign_up()
        word = uuid.uuid4().hex
        for number in range(31):
            self.make("/api/businesses", {"name": f"Bakery {word} {number}", "category": "bread"}, token)
        self.make("/api/businesses", {"name": "Hill Farm", "category": "vegetables"}, token)
        page = self.person("/")
        held = []

        def hold(route):
            if "q=" in route.request.url:
                route.continue_()
            else:
                held.append((route, route.fetch()))

        page.route("**/api/businesses?*", hold)
        page.goto(f"{self.service.url}/shops")
        page.fill("#words", word)
        page.keyboard.press("Enter")
        names = page.locator("#shops h2")
        expect(names).to_have_count(30)
        with page.expect_response("**/api/businesses?limit=30"):
            held[0][0].fulfill(response=held[0][1])
        # Two at the same time count as one.
        page.evaluate("() => { const more = document.getElementById('more'); more.click(); more.click(); }")
        expect(names).to_have_count(31)
        expect(page.locator("#more")).to_be_hidden()
        self.assertEqual({text.split()[0] for text in names.all_inner_texts()}, {"Bakery"})
        self.assertEqual(len(set(names.all_inner_texts())), 31)
        expect(page.locator("#notice")).to_be_hidden()

    def test_that_shops_cannot_be_loaded_is_said_although_one_s_own_can(self):
        page, token = self.signed_in("/")
        self.shop(token)
        held = []
        page.route("**/api/businesses?limit=30", lambda route: route.abort())
        page.route("**/api/businesses?owner=me*", lambda route: held.append(route))
        with page.expect_request("**/api/businesses?owner=me*"):
            page.goto(f"{self.service.url}/shops")
        notice = page.locator("#notice")
        expect(notice).to_have_text("The server cannot be reached.")
        held[0].continue_()
        expect(page.locator("#own-shops")).to_contain_text("Hill Farm")
        expect(notice).to_have_text("The server cannot be reached.")
        self.objections.clear()  # the browser logs it, too
        page.unroute("**/api/businesses?limit=30")
        page.locator("#search").get_by_role("button").click()
        expect(page.locator("#shops")).to_contain_text("Hill Farm")
        expect(notice).to_be_hidden()

    def test_more_of_a_list_is_shown_whatever_has_been_typed_since(self):
        token = self.service.sign_up()
        word = uuid.uuid4().hex
        for number in range(61):
            self.make("/api/businesses", {"name": f"Bakery {word} {number}", "category": "bread"}, token)
        page = self.person("/shops")
        names, more = page.locator("#shops h2"), page.locator("#more")
        expect(names).to_have_count(30)
        page.fill("#words", word)
        more.click()
        expect(names).to_have_count(60)
        page.locator("#search").get_by_role("button").click()
        expect(names).to_have_count(30)
        page.fill("#words", "")
        for count in (60, 61):
            more.click()
            expect(names).to_have_count(count)
        self.assertEqual(len(set(names.all_inner_texts())), 61)

    def test_an_order_is_ended_only_after_a_question(self):
        shop, [eggs] = self.shop(self.service.sign_up(), Eggs=None)
        buyer, buying = self.signed_in("/")
        first, last = (self.order(buying, shop, eggs) for _ in range(2))
        buyer.goto(f"{self.service.url}/orders")
        asked = []
        buyer.remove_listener("dialog", self.agree)
        buyer.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        cancel = buyer.locator(f"#order-{first}").get_by_role("button", name="Cancel")
        cancel.press("Enter")
        expect(cancel).to_be_focused()
        self.assertEqual(asked, ["End this order for good: Hill Farm, €3.50?"])
        self.assertEqual(self.seen(f"/api/orders/{first}", buying)["status"], "pending")
        buyer.once("dialog", self.agree)
        cancel.press("Enter")
        expect(buyer.locator(f"#order-{first} .state")).to_have_text("cancelled")
        # Not on the button of the other order, although it has the same name.
        expect(buyer.get_by_role("heading", name="What I ordered")).to_be_focused()
        self.assertEqual(self.seen(f"/api/orders/{last}", buying)["status"], "pending")

    def test_orders_are_shown_as_they_are_when_a_step_is_refused_or_the_page_is_looked_at_again(self):
        seller, selling = self.signed_in("/")
        seller.context.add_init_script(BEHIND)
        shop, [eggs] = self.shop(selling, Eggs=None)
        buying = self.service.sign_up()
        order = self.order(buying, shop, eggs)
        seller.goto(f"{self.service.url}/orders")
        state = seller.locator(f"#order-{order} .state")
        expect(state).to_have_text("pending")
        path = f"/api/orders/{order}/transitions"
        self.service.call("POST", path, {"to": "cancelled"}, buying)
        self.refuse(409, path)
        seller.get_by_role("button", name="Mark as paid").click()
        expect(state).to_have_text("cancelled")
        expect(seller.locator("#notice")).to_contain_text("cannot become paid")
        self.order(buying, shop, eggs)
        for behind in (True, False):
            seller.evaluate(PUT, behind)
        expect(seller.locator("#sold > li")).to_have_count(2)

    def test_what_became_of_a_step_is_said_although_the_orders_cannot_be_loaded_again(self):
        seller, selling = self.signed_in("/")
        shop, [eggs] = self.shop(selling, Eggs=None)
        buying = self.service.sign_up()
        refused, taken = (self.order(buying, shop, eggs) for _ in range(2))
        seller.goto(f"{self.service.url}/orders")
        expect(seller.locator("#sold > li")).to_have_count(2)
        self.service.call("POST", f"/api/orders/{refused}/transitions", {"to": "cancelled"}, buying)
        seller.route("**/api/orders?role=seller*", lambda route: route.abort())
        self.refuse(409, f"/api/orders/{refused}/transitions")
        seller.locator(f"#order-{refused}").get_by_role("button", name="Mark as paid").click()
        notice = seller.locator("#notice")
        expect(notice).to_contain_text("cannot become paid")
        seller.locator(f"#order-{taken}").get_by_role("button", name="Mark as paid").click()
        expect(notice).to_have_text("The server cannot be reached.")
        expect(seller.locator("#said")).to_have_text("Hill Farm, €3.50 is paid")
        self.objections.clear()  # the browser logs it, too
        self.assertEqual(self.seen(f"/api/orders/{taken}", selling)["status"], "paid")

    def test_all_orders_can_be_come_by(self):
        seller, selling = self.signed_in("/")
        shop, [eggs] = self.shop(selling, Eggs=None)
        buying = self.service.sign_up()
        first = self.order(buying, shop, eggs)
        for _ in range(50):
            self.order(buying, shop, eggs)
        seller.goto(f"{self.service.url}/orders")
        expect(seller.locator("#sold > li")).to_have_count(50)
        seller.get_by_label("Show more of what others ordered").click()
        expect(seller.locator(f"#order-{first}")).to_be_visible()
        expect(seller.get_by_label("Show more of what others ordered")).to_be_hidden()

    def test_an_order_for_a_time_that_no_browser_reads_is_shown_with_the_others(self):
        seller, selling = self.signed_in("/")
        shop, [eggs] = self.shop(selling, Eggs=None)
        buying = self.service.sign_up()
        _, last = (self.order(buying, shop, eggs) for _ in range(2))

        def misdate(route):
            answer = route.fetch()
            orders = answer.json()
            orders["items"][0]["fulfilment"] = {"kind": "pickup", "address": None, "from": ":000-01-01T23:58:59.000Z", "to": None}
            route.fulfill(response=answer, json=orders)

        seller.route("**/api/orders?role=seller*", misdate)
        seller.goto(f"{self.service.url}/orders")
        expect(seller.locator("#sold > li")).to_have_count(2)
        expect(seller.locator(f"#order-{last}")).to_contain_text("pickup from :000-01-01T23:58:59.000Z")
