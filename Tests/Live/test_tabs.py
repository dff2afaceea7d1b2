"""Several tabs, and pages returned to: each shows the data of the user who is signed in now, a double click creates one
thing, and no tab uses up the others' connections. The browser keeps pages for going back, as users' browsers do."""
import unittest

from playwright.sync_api import expect

from Tests.Live.open_page import BEHIND, PUT, OpenPage

# Clicks for three seconds, and then signals it by a request.
CLICK_ON = """(button) => {
    let count = 0;
    setInterval(() => {
        document.querySelector(button).click();
        if (++count === 60) fetch("/version");
    }, 50);
}"""
CAME_BY = "performance.getEntriesByType('navigation')[0].type"


class Tabs(OpenPage):
    launching = {"ignore_default_args": ["--disable-back-forward-cache"]}

    def garden(self, token):
        return "/gardens/" + self.make("/api/gardens", {"name": "South slope"}, token)

    def end_sessions(self, token):
        """Ends all sessions but the token's."""
        for session in self.seen("/api/sessions", token)["items"]:
            if not session["current"]:
                self.service.call("DELETE", f"/api/sessions/{session['id']}", token=token)

    def add_device(self, page):
        page.fill("#device-name", "Tomato bed")
        page.get_by_role("button", name="Add device").click()

    def test_who_comes_back_after_signing_out_is_shown_nothing(self):
        page, token = self.signed_in("/")
        garden = self.garden(token)
        page.goto(self.service.url + garden)
        self.add_device(page)
        expect(page.locator("#key-text")).to_contain_text("tdk_")
        page.get_by_role("link", name="Account").click()
        expect(page.locator("#who")).to_contain_text("Signed in as")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.refuse(404, f"(/api)?{garden}(/events)?")
        for path in ("/account", garden):
            with page.expect_event("domcontentloaded"):
                page.go_back(wait_until="commit")
            expect(page).to_have_url(self.service.url + path)
            expect(page.get_by_role("link", name="Sign in")).to_be_visible()
            expect(page.locator("#key-text, #account:visible")).to_have_count(0)
            # As it was cached, and then reloaded: not merely fetched again because it was not cached.
            self.assertEqual(page.evaluate(CAME_BY), "reload")

    def test_a_tab_goes_on_as_nobody_else(self):
        page, _ = self.signed_in("/account")
        expect(page.locator("#who")).to_contain_text("Signed in as")
        other = page.context.new_page()
        other.goto(f"{self.service.url}/account")
        other.get_by_role("button", name="Sign out").click()
        expect(page.locator("#stranger")).to_contain_text("Sign in")
        expect(page.locator("#account")).to_be_hidden()
        email, _ = self.account()
        self.sign_in(other, email)
        expect(page.locator("#who")).to_have_text(f"Signed in as {email}")

    def test_who_signs_out_of_a_session_that_has_ended_is_gone(self):
        page, token = self.signed_in("/account")
        expect(page.locator("#who")).to_contain_text("Signed in as")
        self.end_sessions(token)
        self.refuse(401, "/api/sessions/current")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.assertEqual(page.evaluate("localStorage.getItem('signed in')"), "")

    def test_what_is_typed_waits_for_its_user_to_sign_in_again(self):
        page, token = self.signed_in("/account")
        name = page.locator("#rename [name=displayName]")
        expect(name).to_have_value("Rosa")
        name.fill("Rosa L.")
        self.end_sessions(token)
        self.refuse(401, "/api/.*")
        page.locator("#rename").get_by_role("button").click()
        with page.expect_popup() as opened:
            page.locator("#rename").get_by_role("link", name="Sign in").click()
        other = opened.value
        other.on("console", self.hear)
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
        self.assertEqual(name.input_value(), "Rosa L.")
        self.sign_in(other, self.seen("/api/users/me", token)["email"])
        expect(other).to_have_url(f"{self.service.url}/account")
        expect(other.locator("#who")).to_contain_text("Signed in as")
        page.locator("#rename").get_by_role("button").click()
        expect(page.locator("#said")).to_have_text("Saved")
        self.assertEqual(self.seen("/api/users/me", token)["displayName"], "Rosa L.")
        # Another user who signs in sees nothing of it.
        name.fill("Rosa Luz")
        self.end_sessions(token)
        other.reload()
        expect(other.locator("#stranger")).to_contain_text("Sign in")
        email, _ = self.account()
        other.goto(self.service.url)
        self.sign_in(other, email)
        expect(page.locator("#who")).to_have_text(f"Signed in as {email}")

    def test_what_is_typed_in_a_garden_waits_for_its_user_too(self):
        page, token = self.signed_in("/")
        email = self.seen("/api/users/me", token)["email"]
        page.context.add_init_script(BEHIND)
        self.refuse(401, "/api/.*")
        for public in (True, False):
            with self.subTest(public=public):
                garden = "/gardens/" + self.make("/api/gardens", {"name": "South slope", "public": public}, token)
                page.goto(self.service.url + garden)
                expect(page.locator("#live")).to_have_text("Live")
                page.fill("#garden-area", "12")
                page.evaluate(PUT, True)
                self.end_sessions(token)
                # The page notices that the session has ended, or that the garden is closed to it.
                self.refuse(404, f"(/api)?{garden}(/.*)?")
                with page.expect_response("**/api/users/me" if public else f"**/api{garden}") as answer:
                    page.evaluate(PUT, False)
                self.assertEqual(answer.value.status, 401 if public else 404)
                if not public:
                    expect(page.locator("#notice")).to_contain_text("What you have typed is still here. Sign in")
                other = page.context.new_page()
                other.on("console", self.hear)
                other.goto(self.service.url)
                self.sign_in(other, email)
                expect(other.locator("#grower")).to_be_visible()
                with page.expect_response("**/api/users/me") as answer:
                    for behind in (True, False):
                        page.evaluate(PUT, behind)
                self.assertEqual((answer.value.status, page.evaluate(CAME_BY)), (200, "navigate"))
                self.assertEqual(page.input_value("#garden-area"), "12")
                page.locator("#keeping form", has=page.locator("#garden-area")).get_by_role("button", name="Save").click()
                expect(page.locator("#said")).to_have_text("Saved")
                expect(page.locator("#notice")).to_be_hidden()
                self.assertEqual(self.seen(f"/api{garden}", token)["areaSquareMetres"], 12)
                other.close()

    def test_who_signs_in_next_has_a_basket_of_their_own(self):
        shop, _ = self.shop(self.service.sign_up(), Milk=None)
        shop = f"{self.service.url}/shops/{shop}"
        (first, _), (second, _) = self.account(), self.account()
        page = self.person()

        def buyer(email):
            page.goto(self.service.url)
            self.sign_in(page, email)
            expect(page.locator("#grower")).to_be_visible()
            page.goto(shop)
            expect(page.locator("#note")).to_be_attached()

        buyer(first)
        page.get_by_label("Add Milk to the basket").click()
        for email, basket in ((second, ""), (first, "Milk")):
            page.goto(f"{self.service.url}/account")
            page.get_by_role("button", name="Sign out").click()
            expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
            buyer(email)
            self.assertEqual(page.locator("#lines span").all_inner_texts(), [basket] if basket else [])

    def test_a_page_whose_session_ended_says_so_and_leads_back(self):
        page, token = self.signed_in("/")
        garden = self.garden(token)
        page.context.add_init_script(BEHIND)
        page.goto(self.service.url + garden)
        expect(page.locator("#live")).to_have_text("Live")
        self.refuse(401, "/api/.*")
        self.refuse(404, f"(/api)?{garden}(/.*)?")
        self.end_sessions(token)
        self.add_device(page)
        notice = page.locator("#keeping form").filter(has=page.locator("#device-name")).get_by_role("alert")
        expect(notice).to_have_text("You are no longer signed in. Sign in")
        expect(notice.get_by_role("link")).to_have_attribute("href", "/?to=" + garden.replace("/", "%2F"))
        page.fill("#device-name", "")
        # Private data is not requested again and again: the page shows what a stranger's does.
        for behind in (True, False):
            page.evaluate(PUT, behind)
        expect(page.get_by_role("heading", level=1)).to_have_text("No such garden")
        page.get_by_role("link", name="Sign in").click()
        email = self.seen("/api/users/me", token)["email"]
        self.sign_in(page, email)
        expect(page).to_have_url(self.service.url + garden)
        expect(page.get_by_role("heading", level=1)).to_have_text("South slope")

    def test_gardens_in_many_tabs_leave_each_other_room(self):
        page, token = self.signed_in("/")
        garden = self.garden(token)
        key = self.service.call("POST", f"/api{garden}/devices", {"name": "Tomato bed"}, token)[1]["key"]
        context = page.context
        context.add_init_script(BEHIND)
        tabs = []
        for _ in range(8):  # two more than a browser opens connections
            if tabs:
                tabs[-1].evaluate(PUT, True)
            tabs.append(context.new_page())
            tabs[-1].goto(self.service.url + garden, timeout=20_000)
            expect(tabs[-1].locator("#live")).to_have_text("Live")
        reading = {"sensorType": "battery", "value": 42.5}
        self.assertEqual(self.service.call("POST", "/api/readings", {"readings": [reading]}, key)[0], 200)
        expect(tabs[-1].locator("#devices")).to_contain_text("42.5")
        tabs[-1].evaluate(PUT, True)
        # Returning to one shows what happened meanwhile, and live updates.
        first = tabs[0]
        expect(first.locator("#devices")).not_to_contain_text("42.5")
        with first.expect_request("**/events"):
            first.evaluate(PUT, False)
        expect(first.locator("#devices")).to_contain_text("42.5")
        reading["value"] = 43.5
        self.assertEqual(self.service.call("POST", "/api/readings", {"readings": [reading]}, key)[0], 200)
        expect(first.locator("#devices")).to_contain_text("43.5")

    def test_what_is_clicked_again_while_the_next_page_comes_is_made_once(self):
        page, token = self.signed_in("/")
        for start, field, form, list, next in (
                ("/", "#garden-name", "#new-garden", "gardens", "**/gardens/*"), ("/shops", "#shop-name", "#new-shop", "businesses", "**/shops/*")):
            page.goto(self.service.url + start)
            expect(page.locator(form)).to_be_visible()
            if start == "/shops":
                page.fill("#shop-category", "farm")
            page.fill(field, "Once")
            held = []
            page.route(next, lambda route: held.append(route))
            with page.expect_request("**/version"):
                page.evaluate(CLICK_ON, f"{form} button")
            self.assertEqual(len(held), 1)
            held[0].continue_()
            expect(page.get_by_role("heading", level=1)).to_have_text("Once")
            made = self.seen(f"/api/{list}?owner=me", token)["items"]
            self.assertEqual([one["name"] for one in made], ["Once"])
            # Going back finds it there, and a form that works.
            page.go_back(wait_until="commit")
            expect(page.locator("#gardens, #own-shops")).to_contain_text("Once")
            expect(page.locator(form)).not_to_have_attribute("aria-busy", "true")
            page.unroute(next)
