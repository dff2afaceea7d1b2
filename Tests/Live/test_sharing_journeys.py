"""A shared garden: somebody without an account is invited, sees it, works in it, and is removed."""
import subprocess
import unittest

from playwright.sync_api import expect

from Tests.Live.journey import Journey
from Tests.Live.keyboard import Keyboard
from Tests.Live.service import BINARY, PASSWORD


class Sharing(Journey):
    def invite(self, keys, email):
        """Invites somebody to see the garden; returns the path to accept it."""
        keys.write("Email address", email)
        keys.press("Invite")
        expect(keys.page.locator("#members li")).to_contain_text("invited as viewer until")
        return keys.page.locator("#members pre").inner_text().removeprefix(self.service.url)

    def accept(self, path, name):
        """Registers from the invitation to a garden, which accepts it."""
        page = self.person(path)
        keys = Keyboard(page)
        self.look(page)
        keys.follow("register")
        keys.write("Your name", name)
        keys.write("Email address", f"{name}-{self.size}-{self._testMethodName}@example.org")
        keys.write("Password", PASSWORD)
        keys.follow("Register")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Welcome, {name}")
        keys.follow("South slope")
        expect(page.get_by_role("heading", level=1)).to_have_text("South slope")
        return page, keys


class SharingJourneys(Sharing):
    def test_a_garden_with_a_member(self):
        def journey():
            owner, owning, _ = self.register("Rosa")
            self.garden(owning)
            self.device(owning, "Tomato bed")
            garden = owner.url.removeprefix(self.service.url)
            link = self.invite(owning, "grace@example.org")
            self.look(owner, "members", "#members")

            guest, visiting = self.accept(link, "Grace")
            expect(guest).to_have_url(owner.url)
            expect(guest.locator("#members")).to_contain_text("Grace (you) · viewer")
            expect(guest.get_by_role("heading", name="Devices")).to_have_count(0)
            self.look(guest)
            visiting.follow("My gardens")
            expect(guest.locator("#gardens")).to_contain_text("South slope")
            expect(guest.locator("#gardens")).to_contain_text("Private · shared with you")
            self.look(guest)
            visiting.follow("South slope")

            owner.reload()
            owning.choose("Role of Grace", "Editor")
            owning.press("Save the role of Grace")
            expect(owner.locator("#members")).to_contain_text("Grace · editor")
            guest.reload()
            expect(guest.locator("#device-list")).to_contain_text("Tomato bed")
            expect(guest.get_by_role("button", name="Delete")).to_have_count(0)
            expect(guest.get_by_role("heading", name="This garden")).to_be_visible()
            expect(guest.get_by_label("Latitude")).to_have_count(0)
            self.device(visiting, "Bean bed")
            self.look(guest)

            asked = []
            owner.on("dialog", lambda dialog: asked.append(dialog.message))
            owning.press("Remove Grace")
            expect(owner.locator("#members")).to_contain_text("Nobody yet.")
            self.assertIn("Keys of devices that they know stay valid", asked[0])
            self.refuse(404, f"(/api)?{garden}(/.*)?")
            guest.goto(owner.url)
            expect(guest.get_by_role("heading", level=1)).to_have_text("No such garden")

        self.everywhere(journey)

    def test_a_garden_that_is_handed_over_and_left(self):
        def journey():
            owner, owning, _ = self.register("Rosa")
            self.garden(owning)
            guest, visiting, _ = self.register("Grace")
            guest.goto(self.service.url + self.invite(owning, "grace@example.org"))
            expect(guest.get_by_role("heading", level=1)).to_have_text("An invitation to a garden")
            self.look(guest)
            visiting.follow("Accept")
            expect(guest.get_by_role("heading", level=1)).to_have_text("South slope")
            owner.reload()
            owning.choose("Role of Grace", "Owner")
            owning.press("Save the role of Grace")
            expect(owner.locator("#members")).to_contain_text("Rosa (you) · manager")
            expect(owner.get_by_role("button", name="Delete this garden")).to_have_count(0)
            guest.reload()
            expect(guest.get_by_role("button", name="Delete this garden")).to_be_visible()
            owning.follow("Leave South slope")
            expect(owner.get_by_role("heading", level=1)).to_have_text("Welcome, Rosa")
            expect(owner.locator("#none")).to_be_visible()

        self.everywhere(journey)


class InvitedJourneys(Sharing):
    settings = {"REGISTRATION": "invite"}

    def test_only_who_is_invited_registers(self):
        def journey():
            owner = {"email": f"rosa-{self.size}@example.org", "password": PASSWORD}
            create = [BINARY, "user", "create", owner["email"]]
            subprocess.run(create, input=PASSWORD, env=self.service.environment, text=True, check=True, capture_output=True)
            token = self.made("/api/sessions", owner)["accessToken"]
            garden = self.made("/api/gardens", {"name": "South slope"}, token)["id"]
            member = {"email": "grace@example.org", "role": "viewer"}
            invitation = self.made(f"/api/gardens/{garden}/members", member, token)["token"]
            guest, _ = self.accept(f"/invitations/{invitation}", "Grace")
            expect(guest).to_have_url(f"{self.service.url}/gardens/{garden}")
            expect(guest.locator("#members")).to_contain_text("Grace (you) · viewer")

        self.everywhere(journey)

    def made(self, path, body, token=None):
        status, answer = self.service.call("POST", path, body, token)
        self.assertEqual(status, 201, answer)
        return answer
