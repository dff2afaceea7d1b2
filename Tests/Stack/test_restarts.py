"""New servers behind a real nginx, under load: by SIGUSR2 in place, and by SIGTERM once nginx uses the other colour.

Each client opens a connection for each request, as browsers do after a pause, and retries nothing.
"""
import http.client
import json
import os
import pathlib
import signal
import ssl
import threading
import unittest

from Tests.Stack.stack import Client, Stack, free_ports, until

ROUNDS = 10
CLIENTS = 4
LINES_SHOWN = 40


class Load:
    """Clients that read, with and without Postgres, and write, until the end."""

    def __init__(self, stack, token, garden):
        self.port, self.token, self.garden = stack.port["https"], token, garden
        self.requests, self.failures, self.is_over = 0, [], False
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        requests = (("GET", "/version", None), ("GET", "/api/gardens", None), ("PATCH", f"/api/gardens/{self.garden}", json.dumps({"name": "Bed"})))
        while not self.is_over:
            for method, path, body in requests:
                connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.context)
                try:
                    connection.request(method, path, body, headers)
                    answer = connection.getresponse()
                    text = answer.read()
                    if answer.status not in (200, 201):
                        self.failures.append(f"{method} {path}: {answer.status} {text[:300]}")
                except OSError as error:
                    self.failures.append(f"{method} {path}: {error!r}")
                finally:
                    connection.close()
                self.requests += 1

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Restarts(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)
        self.stack.settings = {"METRICS_PORT": 0, "SHUTDOWN_DRAIN_SECONDS": 0}
        self.stack.start_stores()
        self.stack.start_server()
        self.ports = {"blue": self.stack.port["api"], "green": free_ports(("green",))["green"]}
        self.switch = self.stack.folder / "switch"
        self.stack.start_nginx(rate="10000r/s", burst="10000", colours=[*(f"127.0.0.1:{port}" for port in self.ports.values()), self.switch])
        person = Client(self.stack.port["api"])
        account = {"email": "restarts@example.org", "password": "a long enough password"}
        person.make("/api/users", {**account, "displayName": "Restarts"})
        person.token = person.make("/api/sessions", account)["accessToken"]
        self.load = Load(self.stack, person.token, person.make("/api/gardens", {"name": "Bed"})["id"])
        person.connection.close()
        self.addCleanup(self.load.end)

    def assert_unnoticed(self, rounds_of):
        self.load.end()
        self.assertEqual(self.load.failures, [], f"{len(self.load.failures)} of {self.load.requests}")
        self.assertGreater(self.load.requests, ROUNDS * CLIENTS)
        print(f"{rounds_of}: {self.load.requests} requests, none failed")

    def test_ten_upgrades_by_sigusr2_fail_no_request(self):
        process = self.stack.processes["api"].pid
        for count in range(1, ROUNDS + 1):
            os.kill(process, signal.SIGUSR2)
            started = self.said("Started a successor", count)[count - 1]
            successor = started["process"]
            self.addCleanup(lambda process=successor: pathlib.Path(f"/proc/{process}").exists() and os.kill(process, signal.SIGTERM))
            self.said("Handing over", count)
            until("the predecessor's end", lambda: not self.is_alive(process))
            process = successor
        self.assert_unnoticed("ten upgrades by SIGUSR2")

    def said(self, message, count):
        """Waits for a number of log lines with a message; a failure shows the servers' last lines."""
        def found():
            lines = [json.loads(line) for line in self.stack.log("api").splitlines() if f'"message":"{message}"' in line]
            return lines if len(lines) >= count else None
        try:
            return until(f'"{message}" for the {count}th time', found)
        except AssertionError as failure:
            lines = [line for line in self.stack.log("api").splitlines() if '"message":"Request completed"' not in line]
            raise AssertionError("\n".join([str(failure), *lines[-LINES_SHOWN:]])) from None

    def is_alive(self, process):
        """Whether it runs; a zombie does not."""
        try:
            return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def test_ten_restarts_by_sigterm_fail_no_request(self):
        name = "api"
        for count in range(ROUNDS):
            following, colour = f"api-{count}", ("green", "blue")[count % 2]
            self.stack.start_server(following, self.ports[colour])
            self.lead_to(colour)
            process = self.stack.processes.pop(name)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)
            name = following
        self.assert_unnoticed("ten restarts by SIGTERM")

    def lead_to(self, colour):
        """Makes nginx send requests to that colour from the next one on, as a deploy does."""
        if colour == "green":
            (self.switch / "green").touch()
        else:
            (self.switch / "green").unlink()
