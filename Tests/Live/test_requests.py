"""Requests generated from the OpenAPI document, sent to the real server: none may cause a server error, or an answer
that the document does not describe."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from openapi_spec_validator import validate

from Tests.Live.service import ROOT, Service

# The number of requests generated for each operation.
EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
# Endless ones, or those that end the account or session that all other requests need.
EXCLUDED = ["/api/gardens/{id}/events", "/api/sessions/current"]
# An unknown method is 501 on any path, so only known ones can be unexpected.
SETTINGS = """
[phases.coverage]
unexpected-methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]
"""
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "missing_required_header", "ignored_auth",
]


class Requests(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        # Mail goes to a port on which no server listens: without SMTP_URL, operations that need mail would answer 501.
        cls.service = cls.enterClassContext(Service({
            "TRUSTED_PROXIES": "127.0.0.1", "SMTP_URL": "smtp://127.0.0.1:9", "SMTP_FROM": "garden@example.org",
            "RATE_LIMIT_PASSWORD_RESET": "off",
        }))

    def test_document_is_valid(self):
        status, document = self.service.call("GET", "/openapi.json")
        self.assertEqual(status, 200)
        validate(document)

    def test_as_anonymous(self):
        self.send(None)

    def test_as_user(self):
        self.send(self.service.sign_up())

    def test_as_administrator(self):
        self.send(self.service.sign_up("admin"), "--include-path-regex", "^/api/admin/")

    def test_as_owner(self):
        """With ids of existing objects, which belong to the user."""
        token, ids, _ = self.plant()
        self.send(token, "--exclude-method", "DELETE", ids=ids)

    def test_as_device(self):
        _, ids, key = self.plant()
        self.send(key, "--include-path-regex", "readings|gardens", ids=ids)

    def plant(self):
        """A user with one of everything: the token, the ids by the paths that take them, and the device's key."""
        token = self.service.sign_up()

        def make(path, body, token=token, **options):
            status, made = self.service.call("POST", path, body, token, **options)
            self.assertEqual(status, 201, made)
            return made

        garden = make("/api/gardens", {"name": "Bed", "public": True})
        device = make(f"/api/gardens/{garden['id']}/devices", {"name": "Probe"})
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        readings = [{"sensorType": "soil_moisture", "value": 20, "measuredAt": now}]
        self.service.call("POST", f"/api/devices/{device['id']}/readings", {"readings": readings}, device["key"])
        business = make("/api/businesses", {"name": "Farm", "category": "vegetables"})
        price = {"amount": 450, "currency": "EUR"}
        product = make(f"/api/businesses/{business['id']}/products", {"name": "Tomatoes", "price": price, "unit": "kg"})
        order = make(
            "/api/orders", {"businessId": business["id"], "lines": [{"productId": product["id"], "quantity": 2}]},
            self.service.sign_up(), headers={"Idempotency-Key": "order-1"})
        kinds = {"gardens": garden, "devices": device, "businesses": business, "products": product, "orders": order}
        return token, {f"^(/api)?/{kind}/[{{]id[}}]": made["id"] for kind, made in kinds.items()}, device["key"]

    def send(self, token, *selection, ids={}):
        settings = SETTINGS
        for paths, identifier in ids.items():
            settings += f"[[operations]]\ninclude-path-regex = '{paths}'\nparameters = {{ 'path.id' = '{identifier}' }}\n"
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "schemathesis.toml").write_text(settings)
            arguments = [
                pathlib.Path(sys.executable).with_name("schemathesis"), "run", f"{self.service.url}/openapi.json",
                "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing",
                "--mode", "all", "--continue-on-failure", "--suppress-health-check", "all", "--seed", "1",
                "--request-timeout", "20", "--generation-database", "none", "--no-color", *selection,
            ]
            # From another network: the generated wrong passwords must not lock out the user who signs up here.
            arguments += ["--header", "X-Forwarded-For: 203.0.113.7"]
            for path in EXCLUDED:
                arguments += ["--exclude-path", path]
            if token:
                arguments += ["--header", f"Authorization: Bearer {token}"]
            environment = {**os.environ, "SCHEMATHESIS_HOOKS": "Tests.Live.hooks", "PYTHONPATH": str(ROOT)}
            run = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout[-20_000:] + run.stderr[-2_000:])
        self.assertEqual(self.service.errors, [])
