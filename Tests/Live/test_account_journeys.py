"""A grower's news and tokens: news of frost reaches a webhook, and a program reads with a token."""
import json
import re
import subprocess
import time
import unittest
import uuid

from playwright.sync_api import expect

from Tests.Live.journey import Journey
from Tests.Live.mailbox import Mailbox
from Tests.Live.receiver import Receiver


class AccountJourneys(Journey):
    @classmethod
    def setUpClass(cls):
        cls.mailbox = cls.enterClassContext(Mailbox())
        cls.settings = {
            "NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8", "INSIGHTS_INTERVAL_SECONDS": "1",
            "SMTP_URL": cls.mailbox.url, "SMTP_STARTTLS": "none", "SMTP_FROM": "garden@example.org",
        }
        super().setUpClass()

    def test_frost_that_a_webhook_is_told_of(self):
        def journey():
            page, keys, _ = self.register("Rosa")
            receiver = self.enterContext(Receiver())
            keys.follow("Account")
            secret = self.channel(keys, receiver.url)
            card = page.locator("#channel-list li").first
            expect(card).to_contain_text("Webhook · insights (warnings), silent devices, orders")
            keys.press(f"Test {receiver.url}")
            expect(page.locator("#said")).to_have_text(f"The message has arrived at {receiver.url}")
            expect(card.locator(".state")).to_have_text("arrived")
            receiver.wait(lambda message: message["type"] == "channel.test", secret)
            self.look(page, "channels", "#channels")

            keys.follow("My gardens")
            self.garden(keys)
            self.device(keys, "Tomato bed")
            self.freeze(keys, page.locator("#key-text").inner_text())
            frost = receiver.wait(lambda message: message["data"].get("type") == "frost", secret)
            self.assertEqual((frost["type"], frost["data"]["title"]), ("insight.created", "Frost tonight"))
            expect(page.locator("#insights")).to_contain_text("Frost tonight")
            keys.follow("My gardens")
            expect(page.locator("#insights")).to_contain_text("Frost tonight")
            self.look(page)

        self.everywhere(journey)

    def channel(self, keys, url):
        """Adds a webhook for warnings; returns its secret."""
        page = keys.page
        keys.choose("Send by", "Webhook")
        keys.write("Email address or URL", "ftp://example.org")
        self.refuse(422, "/api/channels")
        page.keyboard.press("Enter")
        expect(page.locator("#new-target-fault")).to_contain_text("must be a URL")
        self.look(page)
        keys.write("Email address or URL", url)
        keys.choose("Which insights", "Warnings")
        keys.press("Add channel")
        secret = page.locator("#secret code")
        expect(secret).to_contain_text("whsec_")
        return secret.inner_text()

    def freeze(self, keys, key):
        """Moves the garden to where it is late in the evening, and already below zero."""
        hour = time.time() % 86_400 / 3_600
        keys.write("Latitude", "48")
        keys.write("Longitude", f"{((22 - hour) * 15 + 540) % 360 - 180:.2f}")
        keys.press("Save")
        expect(keys.page.locator("#facts")).to_contain_text("48.00° N")
        readings = []
        for hours in [step / 6 for step in range(145)]:
            at = int(time.time() - hours * 3_600)
            readings.append({"sensorType": "air_temperature", "value": -3 + hours * 0.8 if hours < 8 else 4, "measuredAt": at})
            readings.append({"sensorType": "air_humidity", "value": 70, "measuredAt": at})
        status, answer = self.service.call("POST", "/api/readings", {"readings": readings}, key)
        self.assertEqual((status, answer["accepted"]), (200, len(readings)), answer)

    def test_a_channel_that_is_changed_switched_off_and_removed(self):
        def journey():
            page, keys, _ = self.register("Rosa")
            receiver = self.enterContext(Receiver())
            keys.follow("Account")
            self.channel(keys, receiver.url)
            card = page.locator("#channel-list li").first
            keys.press(f"Change {receiver.url}")
            keys.choose("When", "Once a day")
            keys.choose("Quiet from", "1000PM")  # in the browser's twelve-hour clock
            keys.choose("Quiet until", "0630AM")
            keys.press(f"Save {receiver.url}")
            expect(card).to_contain_text("quiet from 22:00 to 06:30 (Europe/Paris) · once a day")
            keys.press(f"Switch off {receiver.url}")
            expect(card).to_contain_text("Switched off")
            keys.press(f"Switch on {receiver.url}")
            expect(card.get_by_role("button", name="Test")).to_be_focused()
            keys.press(f"Remove {receiver.url}")
            expect(page.locator("#channel-list li")).to_have_count(0)
            expect(page.get_by_role("heading", name="Notifications")).to_be_focused()
            self.assertEqual(receiver.messages, [])

        self.everywhere(journey)

    def test_an_address_that_agrees_to_be_told(self):
        def journey():
            page, keys, _ = self.register("Rosa")
            keys.follow("Account")
            target = f"{uuid.uuid4().hex}@example.org"
            keys.write("Email address or URL", target)
            keys.press("Add channel")
            address, text = self.mailbox.next()
            self.assertEqual(address, target)
            card = page.locator("#channel-list li").first
            expect(card.get_by_role("button", name="Test")).to_have_count(0)
            identity = card.get_attribute("id").removeprefix("channel-")
            keys.write("Code from the mail", "0000-0000-0000")
            self.refuse(422, f"/api/channels/{identity}/confirmation")
            keys.press(f"Confirm {target}")
            expect(card.locator(".fault")).to_contain_text("is not the code")
            self.look(page)
            keys.write("Code from the mail", re.search(r"(?:[0-9a-z]{4}-){2}[0-9a-z]{4}", text)[0])
            keys.press(f"Confirm {target}")
            keys.press(f"Test {target}")
            expect(page.locator("#said")).to_have_text(f"The message has arrived at {target}")
            self.assertEqual(self.mailbox.next()[0], target)

        self.everywhere(journey)

    def test_a_token_that_a_program_reads_with_until_it_is_revoked(self):
        def journey():
            page, keys, _ = self.register("Rosa")
            self.garden(keys)
            keys.follow("Account")
            keys.write("What it is for", "Grafana")
            keys.press("Make token")
            token = page.locator("#token code")
            expect(token).to_contain_text("tpt_")
            self.look(page, "tokens", "#tokens")
            gardens = f"{self.service.url}/api/gardens?owner=me"
            status, answer = curl(token.inner_text(), gardens)
            self.assertEqual((status, [garden["name"] for garden in answer["items"]]), (200, ["South slope"]))
            # It may read, and nothing more.
            self.assertEqual(curl(token.inner_text(), gardens, "-d", '{"name":"North slope"}')[0], 403)
            revoked = token.inner_text()
            page.reload()
            expect(page.locator("#token-list")).to_contain_text("Grafana · read, used")
            expect(page.locator("#token code")).to_have_count(0)
            keys.press("Revoke Grafana")
            expect(page.locator("#token-list li")).to_have_count(0)
            self.assertEqual(curl(revoked, gardens)[0], 401)

        self.everywhere(journey)


def curl(token, url, *arguments):
    """The status and the JSON that a program gets."""
    command = ["curl", "-sS", "-w", "\n%{http_code}", "-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json"]
    body, status = subprocess.run([*command, *arguments, url], check=True, capture_output=True, text=True).stdout.rsplit("\n", 1)
    return int(status), json.loads(body)
