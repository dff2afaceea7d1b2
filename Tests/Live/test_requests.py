"""Requests made up from the OpenAPI document, sent to the real server: none may bring an error of the server, nor an
answer that the document does not describe."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from openapi_spec_validator import validate

from Tests.Live.service import Service

# How many requests are made up for each operation.
EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
# Without an end, or the end of the account and the session that all other requests need.
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
        cls.service = cls.enterClassContext(Service())

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

    def test_as_device(self):
        self.send(self.plant()["key"], "--include-path-regex", "readings|gardens")

    def plant(self):
        """A device with a few readings in a public garden."""
        token = self.service.sign_up()
        garden = self.service.call("POST", "/api/gardens", {"name": "Bed", "public": True}, token)[1]
        device = self.service.call("POST", f"/api/gardens/{garden['id']}/devices", {"name": "Probe"}, token)[1]
        return device

    def send(self, token, *selection):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "schemathesis.toml").write_text(SETTINGS)
            arguments = [
                pathlib.Path(sys.executable).with_name("schemathesis"), "run", f"{self.service.url}/openapi.json",
                "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing",
                "--mode", "all", "--continue-on-failure", "--suppress-health-check", "all", "--seed", "1",
                "--request-timeout", "20", "--generation-database", "none", "--no-color", *selection,
            ]
            for path in EXCLUDED:
                arguments += ["--exclude-path", path]
            if token:
                arguments += ["--header", f"Authorization: Bearer {token}"]
            run = subprocess.run(arguments, cwd=folder, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout[-20_000:] + run.stderr[-2_000:])
        self.assertEqual(self.service.errors, [])


if __name__ == "__main__":
    unittest.main()
