"""A person in a real browser, using only the keyboard: on a desktop, and on a phone 360 pixels wide. On each page axe
finds no fault, the console shows nothing but expected refusals, and no other host is contacted. SCREENSHOTS=yes renews
docs/screenshots."""
import os
import re
import shutil
import unittest
import uuid

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from Tests.Live.keyboard import Keyboard
from Tests.Live.screenshots import keep
from Tests.Live.service import PASSWORD, Service

SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
SCHEMES = (("desktop", "light"), ("phone", "dark"))


class Journey(unittest.TestCase):
    """What people do on a server's pages, with the expectations common to all. `settings` are further ones for the
    server, `launching` further ones for the browser."""
    settings = {}
    launching = {}

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(cls.settings))
        playwright = cls.enterClassContext(sync_playwright())
        cls.browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"], **cls.launching)
        cls.addClassCleanup(cls.browser.close)
        expect.set_options(timeout=30_000)  # passwords are slow to check on a busy machine
        cls.addClassCleanup(expect.set_options, timeout=5_000)

    def setUp(self):
        self.objections = []
        self.refusals = []

    def everywhere(self, journey):
        for size, scheme in SCHEMES:
            with self.subTest(size=size):
                self.size, self.scheme = size, scheme
                self.objections.clear()
                self.refusals.clear()
                journey()
                self.assertEqual(self.objections, [])

    def person(self, path="/"):
        """A browser of one person, whose console, errors and requests are watched."""
        context = self.browser.new_context(
            viewport=SIZES[self.size], color_scheme=self.scheme, timezone_id="Europe/Paris", locale="en-GB")
        self.addCleanup(context.close)
        page = context.new_page()
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.objections.append(str(error)))
        page.on("request", self.check_request)
        page.on("dialog", self.agree)
        page.goto(self.service.url + path)
        return page

    @staticmethod
    def agree(dialog):
        dialog.accept()

    def refuse(self, status, path):
        """From here on the journey expects this refusal, once or more: a status, and a pattern of its path."""
        self.refusals.append((status, re.compile(path)))

    def hear(self, message):
        if message.type not in ("error", "warning"):
            return
        # Chromium logs each 4xx.
        answer = re.search(r"status of (4\d\d)", message.text)
        path = message.location["url"].removeprefix(self.service.url)
        if not answer or not any(int(answer[1]) == status and pattern.fullmatch(path) for status, pattern in self.refusals):
            self.objections.append(f"{message.text} {path}")

    def check_request(self, request):
        if not request.url.startswith((self.service.url, "data:")):
            self.objections.append(f"asked {request.url}")

    def look(self, page, name=None, part=None):
        """Checks what holds for every page; pictures of the named ones are kept, of some only a part."""
        wide = page.evaluate("""[...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > innerWidth
            && !node.closest("pre")).map((node) => node.outerHTML.slice(0, 120))""")
        width = page.evaluate("document.documentElement.scrollWidth")
        self.assertLessEqual(width, SIZES[self.size]["width"], f"{page.url} scrolls sideways by {wide}")
        found = Axe().run(page)
        self.assertEqual(found.violations_count, 0, found.generate_report())
        if name and os.environ.get("SCREENSHOTS"):
            keep(page, f"{name}-{self.size}", 1_400, part)

    def register(self, name):
        page = self.person()
        keys = Keyboard(page)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.look(page, "sign-in")
        keys.follow("Register")
        email = f"{uuid.uuid4().hex}@example.org"
        keys.write("Your name", name)
        keys.write("Email address", email)
        keys.write("Password", PASSWORD)
        self.look(page)
        keys.follow("Register")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Welcome, {name}")
        self.look(page)
        return page, keys, email

    def garden(self, keys, name="South slope"):
        page = keys.page
        keys.write("Name of a new garden", name)
        keys.follow("Make garden")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.get_by_role("heading", name="Devices")).to_be_visible()

    def device(self, keys, name):
        """Adds a device; returns the command that its page tells to run."""
        page = keys.page
        keys.write("Name of a new device", name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=f"The key of {name}")).to_be_visible()
        return page.locator("#key details pre").first.inner_text()
