"""A host that serves in two colours: real servers on private stores behind a real nginx, under constant load."""
import http.client
import json
import os
import pathlib
import random
import signal
import ssl
import subprocess
import threading
import time

from Tests.Stack.stack import ROOT, Client, Stack
from Tests.webhook import Webhook

PORTS = ("blue", "green", "blue-metrics", "green-metrics", "http", "https", "status", "syslog", "edge-log", "spare", "spare-metrics")
# Short, so that a deploy takes seconds; the tests prove the same.
WATCH = ("--for", "4s", "--every", "1s", "--min-requests", "5", "--max-p95", "500ms")


def unverified():
    """TLS that accepts a self-signed certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Host(Stack):
    def __init__(self):
        super().__init__("deploy", PORTS)
        self.state = self.folder / "deploy"
        self.binary = os.environ["TERROIR_BINARY"]
        self.prefix = []  # prefix of each deploy command
        self.address = {colour: f"127.0.0.1:{self.port[colour]}" for colour in ("blue", "green")}
        self.notices = Webhook()
        self.start_stores()
        environment = self.folder / "server.env"
        environment.write_text("".join(f"{key}='{value}'\n" for key, value in {
            "DATABASE_URL": self.stores["DATABASE_URL"], "REDIS_URL": self.stores["REDIS_URL"], "JWT_SECRET": "s" * 48, "ENVIRONMENT": "test",
            "TRUSTED_PROXIES": "127.0.0.1/32", "SHUTDOWN_DRAIN_SECONDS": 1, "LOG_FORMAT": "json",
        }.items()))
        self.settings = {
            "DEPLOY_RUNTIME": "process", "DEPLOY_STATE": self.state, "DEPLOY_ENVIRONMENT": environment, "DEPLOY_EDGE": self.edge,
            "DEPLOY_BLUE": self.address["blue"], "DEPLOY_GREEN": self.address["green"], "DEPLOY_NOTIFY": self.notices.url,
            "DEPLOY_BLUE_METRICS": f"127.0.0.1:{self.port['blue-metrics']}", "DEPLOY_GREEN_METRICS": f"127.0.0.1:{self.port['green-metrics']}",
            "DEPLOY_START_SECONDS": "8", "DEPLOY_STOP_SECONDS": "15", "DEPLOY_BACKUP": "true",
        }

    def start_edge(self):
        self.start_nginx(rate="10000r/s", burst="10000", colours=(self.address["blue"], self.address["green"], self.state / "switch"),
                         EDGE_REQUESTS="1000", EDGE_CONNECTIONS="1000")

    def close(self):
        for colour in ("blue", "green"):
            process = self.process_of(colour)
            if process:
                os.kill(process, signal.SIGKILL)
        super().close()

    # --- releases ---

    def release(self, name, body='exec "$binary" "$@"'):
        """A build with a revision of its own: the real binary behind a few lines of shell."""
        file = self.folder / f"release-{name}"
        file.write_text(f'#!/bin/bash\nbinary={self.binary}\nexport REVISION={name}\n{body}\n')
        file.chmod(0o755)
        return file

    def deploy(self, *arguments, options=WATCH):
        """Runs scripts/deploy to its end: returns the exit code and the output."""
        done = self.begin(*arguments, options=options)
        said = done.communicate(timeout=120)[0]
        return done.returncode, said

    def begin(self, *arguments, options=WATCH):
        return subprocess.Popen(
            [*self.prefix, ROOT / "scripts/deploy", *options, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL, env={**os.environ, **{key: str(value) for key, value in self.settings.items()}})

    def process_of(self, colour):
        """The colour's process, if it lives."""
        try:
            process, start = (self.state / f"{colour}.pid").read_text().split()
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return int(process) if fields[19] == start and fields[0] != "Z" else None

    def running(self):
        return {colour for colour in ("blue", "green") if self.process_of(colour)}

    def served(self):
        """The revision that clients get."""
        return self.curl(self.edge + "/version").json()["revision"]

    def journal(self):
        return [line.split() for line in (self.state / "journal").read_text().splitlines()]


class Load:
    """Clients at the edge: some keep their connection, some make a new one for each request, some write. A request
    that gets no answer, or one that is not a success, is a failure; nothing is retried. Their User-Agents are diverse
    enough for a canary to get its share."""

    PAUSE_SECONDS = 0.02
    PROGRAMS = 100

    def __init__(self, host):
        self.host, self.failures, self.counts = host, [], {"kept": 0, "fresh": 0, "written": 0}
        account = {"email": f"load-{random.randrange(1 << 40)}@example.com", "password": "a long enough password"}
        user = Client(host.port[next(iter(host.running()))])
        user.make("/api/users", {**account, "displayName": "Load"})
        user.token = user.make("/api/sessions", account)["accessToken"]
        self.garden = user.make("/api/gardens", {"name": "Load", "public": True})["id"]
        device = user.make(f"/api/gardens/{self.garden}/devices", {"name": "Load"})
        self.readings, self.key = f"/api/devices/{device['id']}/readings", device["key"]
        user.connection.close()
        self.acknowledged = 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=work, daemon=True) for work in 3 * [self.keep] + 2 * [self.renew] + [self.write]]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(40)

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.host.port["https"], timeout=35, context=unverified())

    def send(self, kind, connection, method, path, body=None, **headers):
        at = time.time()
        try:
            connection.request(method, path, body, {"User-Agent": f"load/{random.randrange(self.PROGRAMS)}", **headers})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status not in (200, 201, 202):
                self.failures.append((at, kind, answer.status, text[:200]))
            self.counts[kind] += 1
            return answer.status
        except (OSError, http.client.HTTPException) as error:
            self.failures.append((at, kind, 0, repr(error)))
            connection.close()
            return 0

    def keep(self):
        connection = self.connect()
        while not self.stopping.wait(self.PAUSE_SECONDS):
            self.send("kept", connection, "GET", "/api/gardens?limit=3")
        connection.close()

    def renew(self):
        while not self.stopping.wait(2 * self.PAUSE_SECONDS):
            connection = self.connect()
            self.send("fresh", connection, "GET", f"/api/gardens/{self.garden}")
            connection.close()

    def write(self):
        connection, second = self.connect(), int(time.time()) - 80_000
        while not self.stopping.wait(self.PAUSE_SECONDS):
            second += 1
            reading = {"sensorType": "rain", "value": 1, "measuredAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))}
            status = self.send("written", connection, "POST", self.readings, json.dumps({"readings": [reading]}),
                               **{"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
            self.acknowledged += status in (200, 201, 202)
        connection.close()

    def stored(self):
        """The number of acknowledged readings that are stored."""
        client, count, cursor = Client(self.host.port[next(iter(self.host.running()))], self.key), 0, ""
        while cursor is not None:
            status, page = client.send("GET", f"{self.readings}?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
            assert status == 200, page
            count, cursor = count + len(page["items"]), page["nextCursor"]
        client.connection.close()
        return count
