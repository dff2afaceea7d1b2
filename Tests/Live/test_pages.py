"""The pages in a real browser, on a desktop and on a phone, light and dark: axe finds no fault, the console is empty,
no other host is contacted, and figures update by themselves. SCREENSHOTS=yes renews docs/screenshots."""
import os
import re
import shutil
import subprocess
import threading
import time
import unittest

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from Tests.Live.screenshots import keep
from Tests.Live.service import ROOT, Service

SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service())
        cls.garden = cls.plant()
        playwright = cls.enterClassContext(sync_playwright())
        cls.browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        cls.addClassCleanup(cls.browser.close)
        cls.addClassCleanup(cls.visit(cls.service).set)

    @classmethod
    def plant(cls):
        """The demo garden, with a week of readings; returns its id."""
        subprocess.run([ROOT / "scripts" / "demo", cls.service.url], check=True, stdout=subprocess.DEVNULL)
        gardens = cls.service.call("GET", "/api/gardens?limit=100")[1]["items"]
        return next(garden["id"] for garden in gardens if garden["name"] == "Walled garden")

    @staticmethod
    def visit(service):
        """Other visitors, so that there is something to show; the event ends them."""
        over = threading.Event()

        def wander():
            paths = ["/version", "/api/gardens", "/health", "/api/businesses", "/nothing"]
            while not over.wait(0.05):
                service.call("GET", paths[int(time.monotonic() * 20) % len(paths)])

        threading.Thread(target=wander, daemon=True).start()
        return over

    def setUp(self):
        self.objections = []

    def open(self, path, size="desktop", scheme="light", **options):
        """A page, whose console, errors and requests are watched."""
        context = self.browser.new_context(
            viewport=SIZES[size], color_scheme=scheme, timezone_id="Europe/Paris", locale="en-GB", **options)
        self.addCleanup(context.close)
        page = context.new_page()
        page.on("console", lambda message: message.type in ("error", "warning") and self.objections.append(message.text))
        page.on("pageerror", lambda error: self.objections.append(str(error)))
        page.on("request", self.check_request)
        page.goto(self.service.url + path)
        return page

    def check_request(self, request):
        if not request.url.startswith((self.service.url, "data:")):
            self.objections.append(f"asked {request.url}")

    def everywhere(self, path, ready, name, height=None):
        """Opens the page in each size and colour scheme, and checks it."""
        for size in SIZES:
            for scheme in ("light", "dark"):
                with self.subTest(path=path, size=size, scheme=scheme):
                    self.objections.clear()
                    page = self.open(path, size, scheme)
                    ready(page)
                    width = page.evaluate("document.documentElement.scrollWidth")
                    self.assertLessEqual(width, SIZES[size]["width"], "scrolls sideways")
                    found = Axe().run(page)
                    self.assertEqual(found.violations_count, 0, found.generate_report())
                    self.assertEqual(self.objections, [])
                    if os.environ.get("SCREENSHOTS") and (size, scheme) in (("desktop", "light"), ("phone", "dark")):
                        keep(page, f"{name}-{size}", height)
                    page.context.close()

    def test_status(self):
        def ready(page):
            expect(page.get_by_role("heading", level=1)).to_have_text("Everything is healthy")
            expect(page.locator("#p50")).to_contain_text("ms", timeout=60_000)
            expect(page.locator("#days li")).to_have_count(90, timeout=60_000)
            expect(page.locator("#hours li")).to_have_count(48)

        self.everywhere("/status", ready, "status")

    def test_status_moves_by_itself(self):
        page = self.open("/status")
        plot = page.get_by_role("slider", name="Requests, per second")
        expect(plot).to_have_attribute("aria-valuetext", re.compile("per second"), timeout=60_000)
        before = int(plot.get_attribute("aria-valuemax"))
        # Earlier points are kept when the next one comes.
        newest = before
        while newest < before + 3:
            expect(plot).not_to_have_attribute("aria-valuemax", str(newest), timeout=60_000)
            earlier, newest = newest, int(plot.get_attribute("aria-valuemax"))
            self.assertGreater(newest, earlier)
        self.assertEqual(self.objections, [])

    def test_status_shows_all_figures_of_another_server_that_answers(self):
        page = self.open("/status")
        plot = page.get_by_role("slider", name="Requests, per second")
        expect(plot).to_have_attribute("aria-valuemax", re.compile(r"^([2-9]|\d\d)"), timeout=60_000)
        before = int(plot.get_attribute("aria-valuemax"))

        def other(route):
            answer = route.fetch()
            route.fulfill(response=answer, json={**answer.json(), "startedAt": "2020-01-01T00:00:00.000Z"})

        page.route("**/status/data*", other)
        expect(page.locator("#facts")).to_contain_text(re.compile(r"up \d{4} d"), timeout=20_000)
        self.assertGreaterEqual(int(plot.get_attribute("aria-valuemax")), before)
        self.assertEqual(self.objections, [])

    def test_charts_are_read_by_keyboard(self):
        page = self.open("/status")
        plot = page.get_by_role("slider", name="Response time")
        expect(plot).to_have_attribute("aria-valuemax", re.compile("^[1-9]"), timeout=20_000)
        plot.focus()
        plot.press("Home")
        first = plot.get_attribute("aria-valuetext")
        expect(page.locator(".readout:visible")).to_have_count(1)
        plot.press("ArrowRight")
        self.assertNotEqual(plot.get_attribute("aria-valuetext"), first)
        plot.press("Escape")
        expect(page.locator(".readout:visible")).to_have_count(0)

    def test_status_says_since_when_the_server_is_away(self):
        page = self.open("/status")
        expect(page.get_by_role("heading", level=1)).to_have_text("Everything is healthy")
        page.route("**/status/data*", lambda route: route.abort())
        notice = page.get_by_role("alert")
        expect(notice).to_contain_text("No answer since", timeout=10_000)
        expect(page.get_by_role("heading", level=1)).to_have_text("The server cannot be reached")
        self.assertEqual(Axe().run(page).violations_count, 0)
        page.unroute("**/status/data*")
        expect(notice).to_be_hidden(timeout=10_000)
        expect(page.get_by_role("heading", level=1)).to_have_text("Everything is healthy")

    def test_status_says_that_its_history_is_away(self):
        page = self.open("/status")
        expect(page.locator("#days li")).to_have_count(90, timeout=60_000)
        page.route("**/status/history", lambda route: route.abort())
        page.reload()
        for sum in ("#days-sum", "#hours-sum"):
            expect(page.locator(sum)).to_contain_text("The server cannot be reached.", timeout=60_000)
        expect(page.get_by_role("heading", level=1)).to_have_text("Everything is healthy")

    def test_gardens(self):
        self.everywhere("/gardens", lambda page: page.get_by_role("link", name="Walled garden").wait_for(), "gardens")

    def test_garden(self):
        def ready(page):
            expect(page.get_by_role("heading", level=1)).to_have_text("Walled garden")
            expect(page.locator("#devices li")).to_have_count(3, timeout=60_000)
            page.get_by_role("radio", name="Week").check()
            expect(page.locator(".chart")).to_have_count(6, timeout=60_000)

        self.everywhere(f"/gardens/{self.garden}", ready, "garden")

    def test_garden_shows_a_reading_as_it_comes(self):
        token = self.service.call("POST", "/api/sessions", {
            "email": "demo@terroir.example", "password": "sunflowers-and-rain"})[1]["accessToken"]
        device = self.service.call("GET", f"/api/gardens/{self.garden}/devices", token=token)[1]["items"][0]
        key = self.service.call("POST", f"/api/devices/{device['id']}/key", token=token)[1]["key"]
        page = self.open(f"/gardens/{self.garden}")
        expect(page.locator("#devices li")).to_have_count(3, timeout=60_000)
        page.wait_for_timeout(1_000)
        reading = {"sensorType": "battery", "value": 42.5, "measuredAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        status, _ = self.service.call("POST", f"/api/devices/{device['id']}/readings", {"readings": [reading]}, key)
        self.assertEqual(status, 200)
        expect(page.locator("#devices")).to_contain_text("42.5", timeout=5_000)
        self.assertEqual(self.objections, [])

    def grow(self):
        """A public garden with data that charts find hard: rain, a single value, large numbers, values of different
        age."""
        token = self.service.sign_up()
        garden = self.service.call("POST", "/api/gardens", {"name": "Hard", "public": True}, token)[1]["id"]
        device = self.service.call("POST", f"/api/gardens/{garden}/devices", {"name": "Probe"}, token)[1]

        def at(hours):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - hours * 3_600))

        readings = [{"sensorType": "rain", "value": 1.5, "measuredAt": at(2 + step / 12)} for step in range(24)]
        readings += [{"sensorType": "pulses", "value": 9_000_000 + step, "measuredAt": at(step / 4)} for step in range(8)]
        readings += [{"sensorType": "ph", "value": 6.5, "measuredAt": at(5)}]
        readings += [{"sensorType": "soil_moisture", "value": 41, "measuredAt": at(30)}]
        readings += [{"sensorType": "battery", "value": 90, "measuredAt": at(0.01)}]
        status, answer = self.service.call("POST", f"/api/devices/{device['id']}/readings", {"readings": readings}, device["key"])
        self.assertEqual((status, answer["accepted"]), (200, len(readings)))
        self.service.await_series(f"/gardens/{garden}", 4)
        return garden

    def test_soil_is_dry_or_wet_by_its_own_limits(self):
        token = self.service.sign_up()
        garden = self.service.call("POST", "/api/gardens", {"name": "Soils", "public": True, "soil": "sand"}, token)[1]["id"]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for soil, value in ((None, 8), ("clay", 40)):
            device = self.service.call("POST", f"/api/gardens/{garden}/devices", {"name": "Probe", "soil": soil}, token)[1]
            reading = {"sensorType": "soil_moisture", "value": value, "measuredAt": now}
            status, _ = self.service.call("POST", "/api/readings", {"readings": [reading]}, device["key"])
            self.assertEqual(status, 200)
        for _ in range(100):
            data = self.service.call("GET", f"/gardens/{garden}/data")[1]
            if len(data["series"]) == 2:
                break
            time.sleep(0.2)
        self.assertEqual((data["dryBelow"], data["wetAbove"]), ([8.25, 29], [33.7, 37.5]))
        page = self.open(f"/gardens/{garden}")
        plot = page.get_by_role("slider", name="Soil moisture")
        expect(plot).to_have_attribute("aria-valuetext", re.compile("Sensor 2 40 %, wet, Sensor 1 8 %, dry"), timeout=60_000)
        # What means different things for two series is drawn for neither, unless one is shown alone.
        expect(plot.locator(".zone")).to_have_count(0)
        page.get_by_role("button", name="Sensor 1").press("Enter")
        expect(plot.locator(".zone.dry")).to_have_count(1)
        self.assertEqual(self.objections, [])

    def test_garden_of_hard_values(self):
        garden = self.grow()
        for size in SIZES:
            page = self.open(f"/gardens/{garden}", size)
            expect(page.locator(".chart")).to_have_count(4, timeout=60_000)
            # A value that is older than its device's newest shows its own age.
            moisture = page.locator("dt", has_text="Soil moisture").locator("+ dd")
            expect(moisture).to_contain_text("30 h ago")
            expect(page.locator(".card", has_text="Battery")).to_contain_text("Measured just now")
            expect(page.locator("dt", has_text="Battery").locator("+ dd")).not_to_contain_text("just now")
            # No label begins outside its chart.
            reach = page.locator(".chart text").evaluate_all(
                "all => all.map(text => text.getBoundingClientRect().left - text.closest('.plot').getBoundingClientRect().left)")
            self.assertGreaterEqual(min(reach), 0)
            # Rain is summed by the hour: 36 mm in all.
            rain = page.get_by_role("slider", name="Rain by the hour")
            bars = page.locator(".chart", has_text="Rain").locator(".bar").count()
            self.assertIn(bars, (2, 3))
            rain.focus()
            total = 0
            for key in ["Home", "ArrowRight", "ArrowRight"][:bars]:
                rain.press(key)
                total += float(re.search(r": ([\d.]+) mm", rain.get_attribute("aria-valuetext"))[1])
            self.assertEqual(total, 36)
            # A single value is visible.
            lone = page.locator(".chart", has_text="pH").locator(".lone")
            self.assertGreaterEqual(lone.bounding_box()["width"], 4)
            if os.environ.get("SHOTS"):
                page.screenshot(path=f"{os.environ['SHOTS']}/hard-{size}.png", full_page=True)
            self.assertEqual(self.objections, [])
            page.context.close()

    def test_charts_are_read_by_a_finger(self):
        page = self.open(f"/gardens/{self.garden}", "phone", has_touch=True, is_mobile=True)
        plot = page.get_by_role("slider").first
        expect(plot).to_have_attribute("aria-valuemax", re.compile("^[1-9]"), timeout=60_000)
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".readout:visible")).to_have_count(1)
        page.wait_for_timeout(300)
        expect(page.locator(".readout:visible")).to_have_count(1)
        page.get_by_role("heading", name="History").tap()
        expect(page.locator(".readout:visible")).to_have_count(0)

    def test_the_values_that_a_chart_is_asked_for_stay_on_the_screen(self):
        page = self.open("/shops", "phone")
        page.evaluate("""async () => {
            const { Chart } = await import("/assets/chart.js");
            const chart = new Chart({ title: "Beds" });
            document.querySelector("main").prepend(chart.figure);
            const series = [...Array(60).keys()].map((bed) => ({ name: `Raised bed ${bed}, tomatoes under glass (south)`, values: [bed, bed] }));
            chart.show({ from: 0, to: 3_600_000, gap: 3_600_000, times: [600_000, 3_000_000], series });
        }""")
        plot = page.get_by_role("slider", name="Beds")
        readout = page.locator(".readout")

        def shown():
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), SIZES["phone"]["width"])
            self.assertLess(readout.bounding_box()["height"], SIZES["phone"]["height"])
            return [int(bed) for bed in re.findall(r"bed (\d+),", readout.inner_text())]

        plot.press("ArrowLeft")
        self.assertEqual(shown(), list(range(59, 47, -1)))
        expect(readout).to_contain_text("and 48 more")
        # Those nearest to the pointer, here at the foot of the chart.
        box = plot.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 22)
        self.assertEqual(shown(), list(range(11, -1, -1)))
        self.assertEqual(self.objections, [])

    def test_one_probe_is_shown_alone(self):
        page = self.open(f"/gardens/{self.garden}")
        chart = page.locator(".chart", has_text="Soil moisture")
        expect(chart.locator(".plot path.series")).to_have_count(3, timeout=60_000)
        plot = chart.get_by_role("slider")
        plot.focus()
        plot.press("Home")
        # The highest first, each with its colour.
        rows = chart.locator(".readout div")
        expect(rows).to_have_count(3)
        values = [float(re.search(r": ([\d.]+)", text)[1]) for text in rows.all_inner_texts()]
        self.assertEqual(values, sorted(values, reverse=True))
        expect(rows.locator("svg")).to_have_count(3)
        second = page.get_by_role("button", name="Sensor 2")
        second.focus()
        second.press("Enter")
        expect(second).to_have_attribute("aria-pressed", "true")
        expect(chart.locator(".plot path.series")).to_have_count(1)
        expect(plot).to_have_attribute("aria-valuetext", re.compile("Sensor 2 [\\d.]+ %"))
        self.assertNotIn("Sensor 1", plot.get_attribute("aria-valuetext"))
        second.press("Enter")
        expect(chart.locator(".plot path.series")).to_have_count(3)
        self.assertEqual(self.objections, [])

    def test_any_span_is_shown(self):
        page = self.open(f"/gardens/{self.garden}")
        shown = page.locator("#shown")
        expect(shown).to_contain_text(" to ", timeout=60_000)
        for name in ("Wider", "Earlier", "Closer"):
            before = shown.inner_text()
            page.get_by_role("button", name=name).press("Enter")
            expect(shown).not_to_have_text(before)
        # Selected with the mouse.
        before = shown.inner_text()
        plot = page.get_by_role("slider").first
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
        page.mouse.up()
        expect(shown).not_to_have_text(before)
        page.get_by_text("Other days").click()
        page.locator("#from").fill("2026-01-01")
        page.locator("#to").fill("2026-06-30")
        page.get_by_role("button", name="Show").click()
        expect(shown).to_have_text("31 Dec 2025 to 1 Jul 2026")  # whole days of UTC
        expect(page.locator("#no-history")).to_be_visible()
        page.get_by_role("radio", name="Year").check()
        expect(page.locator(".chart").first).to_be_visible()
        self.assertEqual(self.objections, [])

    def test_absent_garden(self):
        page = self.open("/gardens/0190f2aa-0000-7000-8000-000000000000")
        expect(page.get_by_role("heading", level=1)).to_have_text("No such garden")
        self.assertEqual(Axe().run(page).violations_count, 0)

    def test_a_path_with_nothing_is_a_page_too(self):
        page = self.open("/garden")
        expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")
        self.assertEqual(Axe().run(page).violations_count, 0)

    def test_reference(self):
        self.everywhere("/docs", lambda page: page.locator("#words").wait_for(), "docs", height=1_600)

    def test_reference_is_searched(self):
        page = self.open("/docs")
        page.keyboard.press("/")
        page.keyboard.type("refresh token")
        expect(page.locator("#count")).to_contain_text(" of ")
        shown = page.locator(".operation:visible")
        self.assertLess(shown.count(), 20)
        expect(shown.filter(has_text="/api/sessions/refresh").first).to_be_visible()
        # Only operations count, and no chapter stays without one.
        document = self.service.call("GET", "/openapi.json")[1]
        total = sum(len(operations) for operations in document["paths"].values())
        expect(page.locator("#count")).to_have_text(f"{page.locator('.chapter .operation:visible').count()} of {total} operations")
        for chapter in page.locator(".chapter:visible, #schemas:visible").all():
            self.assertGreater(chapter.locator(".operation:visible").count(), 0)
        page.locator("#words").fill("healthcheck nonsense")
        expect(page.locator(".chapter:visible, #schemas:visible, .contents li:has(> ul):visible")).to_have_count(0)
        # A link to something hidden leads there.
        page.locator("#words").fill("/api/gardens/{id}/latest")
        page.locator(".operation:visible a[href^='#shape-']").first.click()
        expect(page.locator("[id^='shape-']:target")).to_be_in_viewport()
        expect(page.locator("#getProfile .trial")).to_have_count(1)
        self.assertEqual(self.objections, [])

    def test_reference_tries_operations_out(self):
        page = self.open("/docs")
        expect(page.locator("#signIn pre").first).to_contain_text("/api/sessions")
        expect(page.locator("main > div pre, main pre").first).to_contain_text(f"TERROIR={self.service.url}")
        self.assertGreater(page.locator(".operation .copy").count(), 50)
        token = self.service.sign_up()
        profile = page.locator("#getProfile")
        profile.locator("summary").press("Enter")
        profile.get_by_role("button", name="Send GET").press("Enter")
        expect(profile.get_by_role("status")).to_contain_text("401")
        profile.get_by_label("Token").fill(token)
        profile.get_by_role("button", name="Send GET").press("Enter")
        expect(profile.get_by_role("status")).to_contain_text('"displayName": "Rosa"')
        # The token is kept for the next operation, and the example is what is sent.
        garden = page.locator("#createGarden")
        garden.locator("summary").press("Enter")
        expect(garden.get_by_label("Token")).to_have_value(token)
        garden.get_by_role("button", name="Send POST").press("Enter")
        expect(garden.get_by_role("status")).to_contain_text("201")
        self.assertEqual(Axe().run(page).violations_count, 0)

    def test_reference_tries_out_what_is_named_by_a_token(self):
        owner, token = self.service.sign_up(), self.service.sign_up()
        garden = self.service.call("POST", "/api/gardens", {"name": "Shared"}, owner)[1]["id"]
        member = {"email": "grace@example.org", "role": "viewer"}
        invitation = self.service.call("POST", f"/api/gardens/{garden}/members", member, owner)[1]["token"]
        page = self.open("/docs")
        expect(page.locator("#getProfile .trial")).to_have_count(1)
        page.evaluate("document.querySelectorAll('.trial').forEach((trial) => { trial.open = true; })")
        expect(page.locator(".trial:not(:has(form))")).to_have_count(0)
        twice = page.evaluate("""() => {
            const all = [...document.querySelectorAll("[id]")].map((node) => node.id);
            return all.filter((id, index) => all.indexOf(id) < index);
        }""")
        self.assertEqual(twice, [])
        accepting = page.locator("#acceptInvitation")
        accepting.get_by_label("token", exact=True).fill(invitation)
        accepting.get_by_label("Token, or a device's key").fill(token)
        accepting.get_by_role("button", name="Send POST").press("Enter")
        expect(accepting.get_by_role("status")).to_contain_text(garden)

    def test_reference_is_read_without_script(self):
        page = self.open("/docs", java_script_enabled=False)
        self.assertGreater(page.locator(".operation:visible").count(), 20)
        expect(page.locator("#words")).to_be_hidden()
