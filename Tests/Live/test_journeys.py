"""What a grower, a buyer and a seller want, from the first page to the last."""
import re
import subprocess
import unittest

from playwright.sync_api import expect

from Tests.Live.journey import Journey
from Tests.Live.keyboard import Keyboard
from Tests.Live.mailbox import Mailbox
from Tests.Live.service import PASSWORD


class Journeys(Journey):
    @classmethod
    def setUpClass(cls):
        cls.mailbox = cls.enterClassContext(Mailbox())
        cls.settings = {"SMTP_URL": cls.mailbox.url, "SMTP_STARTTLS": "none", "SMTP_FROM": "garden@example.org"}
        super().setUpClass()

    def test_a_garden_with_a_device_whose_reading_is_seen_live(self):
        def journey():
            page, keys, email = self.register("Rosa")
            self.garden(keys)
            expect(page.locator("#facts")).to_have_text("A private garden")
            command = self.device(keys, "Tomato bed")
            self.look(page, "device")
            expect(page.locator("#live")).to_have_text("Live")
            answer = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True).stdout
            self.assertIn('"accepted":1', answer)
            card = page.locator("#devices li", has_text="Tomato bed")
            expect(card).to_contain_text("41.5 %")
            expect(card).to_contain_text("just now")
            keys.press("Readings as a CSV file")
            with page.expect_download() as table:
                keys.press("Download")
            self.assertRegex(table.value.path().read_text(), "^deviceId,sensorType,value,measuredAt\r?\n[^,]+,soil_moisture,41.5,")
            # A stranger sees it once it is public, without the names.
            path = page.url.removeprefix(self.service.url)
            self.refuse(404, path)
            stranger = self.person(path)
            expect(stranger.get_by_role("heading", level=1)).to_have_text("No such garden")
            # The link in a mail works for its owner, although a link from another site brings no cookie.
            mail = page.context.new_page()
            link = f'<a href="{page.url}">Frost tonight</a>'
            mail.route("http://mail.example/", lambda route: route.fulfill(content_type="text/html", body=link))
            mail.goto("http://mail.example/")
            mail.get_by_role("link").click()
            expect(mail.get_by_role("heading", level=1)).to_have_text("South slope")
            mail.close()
            keys.press("Public", "Space")
            keys.press("Save")
            expect(page.locator("#facts")).to_have_text("A public garden")
            self.service.await_series(path, 1)
            stranger.reload()
            expect(stranger.get_by_role("heading", level=1)).to_have_text("South slope")
            expect(stranger.locator("#devices")).to_contain_text("Sensor 1")
            expect(stranger.locator("body")).not_to_contain_text("Tomato bed")
            expect(stranger.get_by_role("heading", name="Devices")).to_have_count(0)
            self.look(stranger)
            # A neighbour is signed in, and requests nothing that would be refused.
            neighbour = self.register("Grace")[0]
            neighbour.goto(self.service.url + path)
            expect(neighbour.locator("#devices")).to_contain_text("Sensor 1")
            expect(neighbour.locator("#live")).to_have_text("Live")
            # The first page shows it, also after a visitor comes back.
            keys.follow("My gardens")
            expect(page.locator("#gardens")).to_contain_text("41.5 %")
            self.look(page, "home")
            keys.follow("Account")
            expect(page.locator("#who")).to_have_text(f"Signed in as {email}")
            expect(page.locator("#sessions li")).to_have_text(re.compile(r"^This browser · .*, used (just now|\d+ min ago)$"))
            self.look(page, "account")
            self.refuse(422, "/api/users/me")
            keys.press("Change password")
            expect(page.locator("#new-fault")).to_be_visible()  # an empty field was not changed
            keys.follow("Sign out")
            expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
            keys.follow("Account")
            expect(page.locator("#stranger")).to_contain_text("Sign in")
            self.look(page)
            keys.follow("Sign in")
            keys.write("Email address", email)
            keys.write("Password", PASSWORD)
            page.keyboard.press("Enter")
            expect(page.locator("#who")).to_have_text(f"Signed in as {email}")

        self.everywhere(journey)

    def test_an_order_that_is_placed_seen_by_the_seller_and_delivered(self):
        def journey():
            seller, selling, _ = self.register("Jules")
            selling.follow("Shops")
            selling.write("Name of a new shop", "Jules' farm")
            selling.write("Kind", "farm")
            selling.write("What it offers", "Vegetables of the season")
            selling.follow("Open shop")
            expect(seller.get_by_role("heading", level=1)).to_have_text("Jules' farm")
            selling.write("Name of a new product", "Tomatoes")
            selling.write("Price", "3.20")
            selling.write("In stock", "5")
            seller.keyboard.press("Enter")
            expect(seller.locator("#products")).to_contain_text("Tomatoes")
            selling.press("Delivery", "Space")
            selling.press("Save", "Enter")
            expect(seller.locator("#said")).to_have_text("Saved")
            self.look(seller, "selling")

            buyer, buying, _ = self.register("Ada")
            buyer.goto(seller.url)
            expect(buyer.locator("#products")).to_contain_text("Tomatoes · €3.20 per kg · 5 left")
            buying.press("Add Tomatoes")
            buyer.keyboard.press("Enter")
            expect(buyer.locator("#total")).to_have_text("Total: €6.40")
            self.look(buyer, "shop")
            buying.follow("Order")
            bought = buyer.locator("#bought li")
            expect(bought).to_contain_text("Jules' farm, €6.40")
            expect(bought).to_contain_text("pending")
            self.look(buyer)

            selling.follow("Orders")
            sold = seller.locator("#sold li")
            expect(sold).to_contain_text("2 × Tomatoes (kg)")
            for step, state in (("Mark as paid", "paid"), ("Start preparing", "preparing"), ("Mark as shipped", "shipped"),
                                ("Mark as delivered", "delivered")):
                selling.press(step)
                expect(sold.locator(".state")).to_have_text(state)
            self.look(seller, "orders")
            buyer.reload()
            expect(bought.locator(".state")).to_have_text("delivered")

        self.everywhere(journey)

    def test_a_forgotten_password_is_set_by_the_code_or_the_link_of_a_mail(self):
        def journey():
            _, _, email = self.register("Flora")
            page = self.person()
            keys = Keyboard(page)
            keys.follow("Forgot password?")
            self.look(page)

            def mailed():
                keys.write("Email address", email)
                keys.press("Send the mail")
                expect(page.locator("#sent")).to_be_visible()
                address, text = self.mailbox.next()
                self.assertEqual(address, email)
                return next(line for line in text.splitlines() if line.startswith("tpr_"))

            def chosen(password):
                keys.write("New password", password)
                keys.press("Set the password")
                expect(page.locator("#done")).to_be_visible()
                self.look(page)

            code = mailed()
            self.look(page)
            keys.write("Code from the mail", code)
            chosen(PASSWORD + "-2")
            page.goto(f"{self.service.url}/password-reset")
            code = mailed()
            page.goto(f"{self.service.url}/password-reset#{code}")
            expect(page.get_by_label("Code from the mail")).to_be_hidden()
            self.assertNotIn(code, page.url)
            chosen(PASSWORD + "-3")
            keys.follow("Sign in")
            keys.write("Email address", email)
            keys.write("Password", PASSWORD + "-3")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Flora")

        self.everywhere(journey)

    def test_what_is_refused_is_said_beside_its_field(self):
        def journey():
            page = self.person("/register")
            keys = Keyboard(page)
            keys.write("Email address", "nobody")
            keys.write("Password", "short")
            self.refuse(422, "/api/users")
            page.keyboard.press("Enter")
            password = page.get_by_label("Password")
            expect(password).to_have_attribute("aria-invalid", "true")
            expect(page.locator("#password-fault")).to_be_visible()
            expect(page.locator("#name-fault")).to_be_visible()
            self.look(page)
            page.goto(self.service.url + "/")
            keys.write("Email address", "nobody@example.org")
            keys.write("Password", PASSWORD)
            self.refuse(401, "/api/sessions/cookie")
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert").filter(visible=True)).to_have_text("The email address or the password is wrong.")
            self.look(page)

        self.everywhere(journey)
