"""A garden's page while values arrive: it never goes back to an older one, sends no more requests than it needs, and
does not disturb someone who reads a chart or a notice."""
import os
import signal
import time
import unittest

from playwright.sync_api import expect

from Tests.Live.open_page import BEHIND, PUT, OpenPage

RETRY, REFRESH = 5_000, 60_000  # as on the page
# A browser that stores nothing for a site, as when its cookies are blocked.
KEEPS_NOTHING = """for (const kind of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(globalThis, kind, { get() { throw new DOMException("Access is denied.", "SecurityError"); } });
}"""


class LiveGardens(OpenPage):
    def setUp(self):
        super().setUp()
        self.page, self.token = self.signed_in("/")
        self.page.context.add_init_script(BEHIND)
        garden = self.make("/api/gardens", {"name": "South slope", "public": True}, self.token)
        self.device = self.service.call("POST", f"/api/gardens/{garden}/devices", {"name": "Tomato bed"}, self.token)[1]
        self.garden = f"/gardens/{garden}"
        self.values = self.page.locator("#devices")
        self.live = self.page.locator("#live")
        self.notice = self.page.locator("#notice")

    def measure(self, value, **when):
        reading = {"sensorType": "soil_moisture", "value": value, **when}
        self.assertEqual(self.service.call("POST", "/api/readings", {"readings": [reading]}, self.device["key"])[0], 200)

    def visit(self):
        self.page.goto(self.service.url + self.garden)
        expect(self.live).to_have_text("Live")

    def test_a_value_that_comes_while_the_charts_are_made_stays(self):
        self.measure(10)
        self.visit()
        expect(self.values).to_contain_text("10 %")
        self.change(f"/api/devices/{self.device['id']}", {"name": "Bean bed"}, self.token)
        held = []
        self.page.route("**/data?*", lambda route: held.append(route))
        self.page.evaluate(PUT, True)
        with self.page.expect_response("**/latest"):
            self.page.evaluate(PUT, False)
        self.measure(20)
        expect(self.values).to_contain_text("20 %")
        held[0].continue_()
        # The new name appears with the charts, and with the values measured before.
        expect(self.values).to_contain_text("Bean bed")
        self.assertIn("20 %", self.values.inner_text())
        self.page.evaluate(PUT, True)
        expect(self.live).to_be_empty()

    def test_a_value_that_comes_before_the_page_listens_is_shown(self):
        self.measure(10)
        held = []
        self.page.route("**/data?*", lambda route: held.append(route))
        with self.page.expect_response("**/latest"):
            self.page.goto(self.service.url + self.garden)
        self.measure(20)
        held[0].continue_()
        expect(self.values).to_contain_text("20 %")

    def test_a_first_value_is_shown_though_what_was_there_before_is_answered_once_more(self):
        self.visit()
        answers = []
        def answer(route):
            answers.append(route)
            if len(answers) <= 2:
                route.fulfill(json={"items": [], "nextCursor": None})
            else:
                route.continue_()
        self.page.route("**/latest", answer)
        self.measure(41.5)
        expect(self.values).to_contain_text("41.5 %")

    def test_who_looks_in_often_while_charts_cannot_be_had_asks_for_them_no_more_often(self):
        self.refuse(429, f"{self.garden}/data.*")
        self.page.route("**/data?*", lambda route: route.fulfill(status=429, json={"detail": "Too many requests."}))
        self.page.clock.install()
        self.visit()
        for _ in range(8):
            for behind in (True, False):
                self.page.evaluate(PUT, behind)
            expect(self.live).to_have_text("Live")
            expect(self.notice).to_contain_text("Trying again.")
        asked = []
        self.page.on("request", lambda request: request.url.endswith(f"/api{self.garden}") and asked.append(request))
        with self.page.expect_response(f"**/api{self.garden}"):
            self.page.clock.fast_forward(RETRY)
        self.assertLess(len(asked), 3)  # requests of the last look may still be in flight

    def test_what_failed_is_still_said_when_the_page_is_loaded_anew(self):
        self.visit()
        self.page.route("**/insights", lambda route: route.abort())
        self.page.get_by_role("button", name="Check watering").click()
        expect(self.notice).to_have_text("The server cannot be reached.")
        self.objections.clear()  # the browser logs it, too
        self.change(f"/api{self.garden}", {"areaSquareMetres": 12}, self.token)
        for behind in (True, False):
            self.page.evaluate(PUT, behind)
        expect(self.page.locator("#facts")).to_contain_text("12 m²")
        self.assertEqual(self.notice.inner_text(), "The server cannot be reached.")
        self.page.get_by_role("radio", name="Week").check(force=True)
        expect(self.notice).to_be_hidden()

    def test_who_reads_a_chart_by_keyboard_goes_on_while_values_come(self):
        for hours in (3, 2, 1):
            self.measure(10 * hours, measuredAt=int(time.time()) - 3_600 * hours)
        self.service.await_series(self.garden, 1)
        self.page.clock.install()
        self.visit()
        plot = self.page.get_by_role("slider", name="Soil moisture")
        plot.press("Home")
        read = plot.get_attribute("aria-valuetext")
        self.assertIn("30 %", read)
        self.measure(40)
        expect(self.values).to_contain_text("40 %")
        self.page.locator(".plot svg").evaluate("(drawing) => { drawing.id = 'before'; }")
        self.page.clock.fast_forward(REFRESH)
        expect(self.page.locator("#before")).to_have_count(0)
        expect(plot).to_be_focused()
        self.assertEqual(plot.get_attribute("aria-valuetext"), read)

    def test_a_device_that_reports_for_the_first_time_is_not_called_unheard_of_beside_its_value(self):
        self.visit()
        row = self.page.locator("#device-list > li")
        expect(row).to_contain_text("Tomato bed · has not reported yet")
        self.page.fill("#device-name", "Bean bed")
        self.measure(41)
        expect(self.values).to_contain_text("41 %")
        expect(row).to_contain_text("Tomato bed · online, seen just now")
        expect(self.page.locator("#device-name")).to_have_value("Bean bed")

    def test_devices_are_told_anew_while_values_come(self):
        self.measure(10)
        self.page.clock.install()
        self.visit()
        row = self.page.locator("#device-list > li")
        expect(row).to_contain_text("Tomato bed")
        self.change(f"/api/devices/{self.device['id']}", {"name": "Bean bed"}, self.token)
        self.measure(20)
        expect(self.values).to_contain_text("20 %")
        self.page.clock.fast_forward(REFRESH)
        expect(row).to_contain_text("Bean bed")

    def test_a_browser_of_2023_shows_values_and_charts(self):
        self.measure(10)
        self.service.await_series(self.garden, 1)
        self.page.context.add_init_script("delete Map.groupBy")
        self.visit()
        expect(self.values).to_contain_text("10 %")
        expect(self.page.get_by_role("slider", name="Soil moisture")).to_be_visible()
        expect(self.page.locator("#device-list")).to_contain_text("Tomato bed")

    def test_a_page_that_cannot_be_shown_says_so_and_is_live_all_the_same(self):
        self.measure(10)
        def mangle(route):
            answer = route.fetch()
            route.fulfill(response=answer, json={**answer.json(), "items": [None]})

        self.page.route("**/latest", mangle, times=1)
        self.page.goto(self.service.url + self.garden)
        expect(self.notice).to_have_text("Part of this page could not be shown. Load the page again")
        expect(self.live).to_have_text("Live")
        expect(self.values).to_contain_text("10 %")
        self.assertIn("null", self.objections.pop(0))

    def test_members_that_cannot_be_had_are_said_and_asked_for_again(self):
        self.page.route("**/members?*", lambda route: route.abort(), times=1)
        self.page.goto(self.service.url + self.garden)
        expect(self.notice).to_have_text("Part of this page could not be shown. Load the page again")
        expect(self.page.locator("#members")).to_be_hidden()
        expect(self.page.locator("#device-list")).to_contain_text("Tomato bed")
        self.objections.clear()  # the browser logs it, too
        expect(self.live).to_have_text("Live")
        for behind in (True, False):
            self.page.evaluate(PUT, behind)
        expect(self.page.locator("#members")).to_contain_text("Viewers see everything in the garden.")
        expect(self.page.locator("#members h2")).to_have_count(1)
        expect(self.notice).to_be_hidden()

    def test_a_page_is_not_called_live_while_no_events_come(self):
        self.measure(10)
        self.page.clock.install()
        self.visit()
        with open(self.service.environment["TERROIR_TEST_REDIS_PIDFILE"]) as file:
            redis = int(file.readline())
        self.addCleanup(os.kill, redis, signal.SIGCONT)
        os.kill(redis, signal.SIGSTOP)
        expect(self.live).to_contain_text("Not live since")
        self.measure(20)
        self.page.clock.fast_forward(REFRESH)
        expect(self.values).to_contain_text("20 %")
        expect(self.notice).to_contain_text("No live values since")
        os.kill(redis, signal.SIGCONT)
        expect(self.live).to_have_text("Live")
        expect(self.notice).to_be_hidden()

    def test_a_browser_that_keeps_nothing_is_shown_what_is_public(self):
        self.measure(10)
        shop, _ = self.shop(self.token, Eggs=None)
        page = self.person("/docs")
        page.context.add_init_script(KEEPS_NOTHING)
        page.goto(self.service.url + self.garden)
        expect(page.locator("#devices")).to_contain_text("10 %")
        page.goto(f"{self.service.url}/shops/{shop}")
        expect(page.locator("#products")).to_contain_text("Eggs")
        expect(page.locator("#stranger")).to_contain_text("Sign in")
        page.goto(self.service.url)
        self.sign_in(page, "rosa@example.org")
        expect(page.locator("#sign-in").get_by_role("alert")).to_contain_text("did not keep the session")
