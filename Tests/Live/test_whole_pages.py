"""Pages with a file missing or from another release: each reloads once, and says so if that did not help."""
import unittest

from playwright.sync_api import expect

from Tests.Live.journey import Journey


class WholePages(Journey):
    def setUp(self):
        super().setUp()
        self.size, self.scheme = "desktop", "light"

    def spoil(self, page, file, times, **answer):
        """Makes a file fail a number of times; returns the list of pages loaded from then on."""
        left, loads = [times], []
        page.on("request", lambda request: request.is_navigation_request() and loads.append(request.url.removeprefix(self.service.url)))

        def serve(route):
            left[0] -= 1
            if left[0] >= 0:
                route.fulfill(**answer)
            else:
                route.continue_()

        page.route(f"**/assets/{file}", serve)
        return loads

    MISSING = {"status": 404, "content_type": "application/problem+json", "body": "{}"}
    # From another release: it lacks everything that others import.
    OTHER = {"status": 200, "content_type": "text/javascript; charset=utf-8", "body": "export const other = 1;"}
    # Started for a page that had something more.
    STUMBLING = {**OTHER, "body": "document.getElementById('of another release').hidden = true;"}

    def test_a_page_of_two_releases_is_loaded_once_more(self):
        for file, answer in (("form.js", self.MISSING), ("form.js", self.OTHER), ("home.js", self.STUMBLING)):
            with self.subTest(file=file, **answer):
                page = self.person("/gardens")
                loads = self.spoil(page, file, 1, **answer)
                page.goto(self.service.url + "/")
                expect(page.locator("#stranger")).to_be_visible()
                self.assertEqual(loads, ["/", "/"])
                # The next failure reloads it as well.
                page.unroute(f"**/assets/{file}")
                loads = self.spoil(page, file, 1, **answer)
                page.reload()
                expect(page.locator("#stranger")).to_be_visible()
                self.assertEqual(loads[-2:], ["/", "/"])

    def test_where_that_does_not_help_it_says_so_and_how_to_go_on(self):
        for answer in (self.MISSING, self.OTHER):
            with self.subTest(**answer):
                page = self.person("/gardens")
                loads = self.spoil(page, "form.js", 2, **answer)
                page.goto(self.service.url + "/")
                notice = page.get_by_role("alert").filter(has_text="This page could not be loaded completely.")
                expect(notice).to_be_visible()
                self.assertEqual(loads, ["/", "/"])
                notice.get_by_role("link", name="Load it again").click()
                expect(page.locator("#stranger")).to_be_visible()
                expect(notice).to_be_hidden()

    def test_what_goes_wrong_later_loads_nothing_again(self):
        page = self.person("/")
        expect(page.locator("#stranger")).to_be_visible()
        loads = self.spoil(page, "form.js", 0)
        with page.expect_event("pageerror"):
            page.evaluate("setTimeout(() => { throw new Error('late'); })")
        page.evaluate("new Promise((done) => setTimeout(done))")
        self.assertEqual(loads, [])
        expect(page.get_by_role("alert")).to_be_hidden()

    def test_a_part_that_cannot_be_had_later_is_said(self):
        token = self.service.sign_up()
        status, garden = self.service.call("POST", "/api/gardens", {"name": "Bed", "public": True}, token)
        self.assertEqual(status, 201, garden)
        page = self.person("/")
        loads = self.spoil(page, "csv.js", 1, **self.MISSING)
        held = []
        page.route(f"**/api/gardens/{garden['id']}", lambda route: held.append(route))
        page.goto(f"{self.service.url}/gardens/{garden['id']}")
        page.get_by_text("Readings as a CSV file").click()
        expect(page.locator("#notice")).to_contain_text("Part of this page could not be loaded.")
        # That the rest is loaded meanwhile does not hide it.
        page.unroute(f"**/api/gardens/{garden['id']}")
        held[0].continue_()
        expect(page.locator("#live")).to_have_text("Live")
        expect(page.locator("#notice")).to_contain_text("Part of this page could not be loaded.")
        with page.expect_navigation():  # otherwise the next click may still meet the old page
            page.locator("#notice").get_by_role("link").click()
        page.get_by_text("Readings as a CSV file").click()
        expect(page.get_by_role("button", name="Download")).to_be_enabled()
        self.assertEqual(loads, 2 * [f"/gardens/{garden['id']}"])
