"""A monitored stack: everything around the server, with a user, a garden and what alert tests need."""
import subprocess
import threading
import time
import unittest

from Tests.Stack.stack import Stack, until

TARGETS = 9  # jobs in prometheus.yml, one target each


class Monitored(unittest.TestCase):
    # The server's settings besides the addresses of its stores; they may name ports.
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack()
        cls.addClassCleanup(stack.close)
        stack.settings = {name: value.format(**stack.port) for name, value in cls.settings.items()}
        stack.start_stores()
        stack.start_server()
        stack.start_nginx(rate="1000r/s", burst="1000")
        stack.start_exporters()
        stack.start_monitoring()
        cls.login = {"email": "monitored@example.com", "password": "a long enough password"}
        stack.post(stack.api + "/api/users", {**cls.login, "displayName": "Monitored"})
        cls.token = stack.post(stack.api + "/api/sessions", cls.login).json()["accessToken"]
        cls.user = ("-H", f"Authorization: Bearer {cls.token}")
        cls.garden = stack.post(stack.api + "/api/gardens", {"name": "Monitored"}, *cls.user).json()["id"]
        until("every target to be up", lambda: len(stack.query("up == 1")) == TARGETS, 60)

    # --- alerts ---

    def firing(self, name, seconds=60, /, **labels):
        """Waits until an alert fires in Prometheus: for those that another alert inhibits."""
        selector = ",".join(f'{key}="{value}"' for key, value in {"alertname": name, "alertstate": "firing", **labels}.items())
        return until(f"{name} {labels} to fire", lambda: self.stack.query(f"ALERTS{{{selector}}}"), seconds)

    def received(self, name, seconds=60, /, **labels):
        return until(f"{name} {labels} at the webhook", lambda: self.stack.webhook.alerts(name, **labels), seconds)

    def resolved(self, name, seconds=90, /, **labels):
        return until(f"{name} {labels} to be resolved", lambda: self.stack.webhook.alerts(name, "resolved", **labels), seconds)

    def received_while(self, name, act, /, pause=0, seconds=90, **labels):
        """Repeats an action until the alert fires."""
        end = time.monotonic() + seconds
        while not self.stack.webhook.alerts(name, **labels):
            self.assertLess(time.monotonic(), end, f"no {name}")
            act()
            time.sleep(pause)

    def sql(self, text):
        """The rows of a statement, a line each."""
        return subprocess.run(["psql", "-qAt", self.stack.stores["DATABASE_URL"], "-c", text], check=True, stdout=subprocess.PIPE, text=True).stdout

    # --- what people and devices do ---

    def device(self, name):
        return self.stack.post(f"{self.stack.api}/api/gardens/{self.garden}/devices", {"name": name}, *self.user).json()

    def send(self, device, *values, sensor="rain"):
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        readings = [{"sensorType": sensor, "value": value, "measuredAt": f"{now}.{number:03}Z"} for number, value in enumerate(values)]
        return self.stack.post(
            f"{self.stack.api}/api/devices/{device['id']}/readings", {"readings": readings}, "-H", f"Authorization: Bearer {device['key']}")

    def asking(self, path="/api/gardens", pause=0.05):
        """Requests a path repeatedly until the returned function is called."""
        over = threading.Event()

        def ask():
            while not over.wait(pause):
                try:
                    self.stack.curl(self.stack.edge + path, *self.user)
                except OSError:
                    pass

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()

        def stop():
            over.set()
            for thread in threads:
                thread.join()

        self.addCleanup(stop)
        return stop
