"""A real server on private stores, as its clients see it."""
import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TERROIR_BINARY", str(ROOT / ".build" / "debug" / "terroir"))
STORES = [ROOT / "scripts" / "stores", "-i", "live"]
PASSWORD = "sunflowers-and-rain"
CHART_SECONDS = 5  # how long each loop caches a chart


class Service:
    """Starts the stores and the server; `url` is its address. Ends both on leaving.

    `settings` are further variables for the server; `before` is called in its process before it starts.
    """

    def __init__(self, settings={}, before=None):
        self.settings = settings
        self.before = before

    def __enter__(self):
        subprocess.run([*STORES, "start"], check=True)
        exports = subprocess.run([*STORES, "env"], check=True, capture_output=True, text=True).stdout
        settings = dict(line.removeprefix("export ").split("=", 1) for line in exports.splitlines())
        self.environment = {
            **os.environ,
            **{name: value.strip("'") for name, value in settings.items()},
            "ENVIRONMENT": "test", "HOST": "127.0.0.1", "PORT": "0", "METRICS_PORT": "0", "LOG_FORMAT": "json",
            "HEALTH_DISK_FREE_SHARE": "0",
            "JWT_SECRET": uuid.uuid4().hex * 2, "SHUTDOWN_DRAIN_SECONDS": "0", **self.settings,
        }
        self.errors = []
        self.process = subprocess.Popen(
            [BINARY, "serve"], env=self.environment, stdout=subprocess.PIPE, text=True, preexec_fn=self.before)
        # Lines of two threads: in either order.
        seen = set()
        while not seen >= {"Listening", "Serving"}:
            event = json.loads(self.process.stdout.readline())
            seen.add(event["message"])
            if event["message"] == "Listening":
                self.url = f"http://127.0.0.1:{event['port']}"
        return self.follow()

    def follow(self):
        """Keeps reading the log, so that the server never blocks, and keeps its internal errors."""
        def read():
            for line in self.process.stdout:
                if '"level":"error"' in line or '"level":"critical"' in line:
                    self.errors.append(line)

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        subprocess.run([*STORES, "destroy"], check=True)

    def call(self, method, path, body=None, token=None, type="application/json", headers={}):
        """The status and the JSON of an answer."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {**headers, **({"Content-Type": type} if data else {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def await_series(self, path, count):
        """Waits until the page of a public garden has this many series to show."""
        for _ in range(300):
            if len(self.call("GET", f"{path}/data")[1]["series"]) == count:
                time.sleep(CHART_SECONDS)
                return
            time.sleep(0.2)
        raise AssertionError("the readings were not rolled up")

    def sign_up(self, role="user"):
        """Makes an account and returns an access token."""
        email = f"{uuid.uuid4().hex}@example.org"
        credentials = {"email": email, "password": PASSWORD}
        self.call("POST", "/api/users", {**credentials, "displayName": "Rosa"})
        if role == "admin":
            promote = [BINARY, "user", "promote", email]
            subprocess.run(promote, env=self.environment, check=True, capture_output=True)
        return self.call("POST", "/api/sessions", credentials)[1]["accessToken"]
