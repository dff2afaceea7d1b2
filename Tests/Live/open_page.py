"""A page that is open while something else happens through the API."""
import uuid

from playwright.sync_api import expect

from Tests.Live.journey import Journey
from Tests.Live.service import PASSWORD

# A tab is hidden when the test says so: without a window all count as visible.
BEHIND = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => globalThis.isBehind === true })"
PUT = "(behind) => { globalThis.isBehind = behind; document.dispatchEvent(new Event('visibilitychange')); }"


class OpenPage(Journey):
    def setUp(self):
        super().setUp()
        self.size, self.scheme = "desktop", "light"
        self.addCleanup(lambda: self.assertEqual(self.objections, []))

    def signed_in(self, path):
        """A user's page, and a token of the user."""
        email, token = self.account()
        page = self.person()
        self.sign_in(page, email)
        expect(page.locator("#grower")).to_be_visible()
        page.goto(self.service.url + path)
        return page, token

    def account(self):
        """A new account's address, and its token."""
        credentials = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}
        self.service.call("POST", "/api/users", {**credentials, "displayName": "Rosa"})
        return credentials["email"], self.service.call("POST", "/api/sessions", credentials)[1]["accessToken"]

    def sign_in(self, page, email):
        page.fill("#email", email)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")

    def make(self, path, body, token):
        status, made = self.service.call("POST", path, body, token)
        self.assertEqual(status, 201, made)
        return made["id"]

    def change(self, path, body, token):
        status, answer = self.service.call("PATCH", path, body, token, type="application/merge-patch+json")
        self.assertEqual(status, 200, answer)

    def shop(self, token, **products):
        """A new shop; returns its id and those of its products, whose stock is set."""
        shop = self.make("/api/businesses", {"name": "Hill Farm", "category": "vegetables"}, token)
        price = {"amount": 350, "currency": "EUR"}
        return shop, [
            self.make(f"/api/businesses/{shop}/products", {"name": name, "price": price, "unit": "box", "stock": stock}, token)
            for name, stock in products.items()]

    def order(self, token, shop, product, quantity=1):
        body = {"businessId": shop, "lines": [{"productId": product, "quantity": quantity}]}
        status, order = self.service.call("POST", "/api/orders", body, token, headers={"Idempotency-Key": uuid.uuid4().hex})
        self.assertEqual(status, 201, order)
        return order["id"]

    def seen(self, path, token=None):
        return self.service.call("GET", path, token=token)[1]
