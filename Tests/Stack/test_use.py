"""Prometheus' data of a service in use: each panel of the dashboards shows something, and a scrape of ten thousand
series, all made by requests, finishes in time.
"""
import re
import subprocess
import time
import unittest
import uuid

from Tests.Stack.monitored import Monitored
from Tests.Stack.stack import ROOT, Client, fetch, until

# Sensor types with a known range, so that each is counted under its name.
SENSORS = ("soil_moisture", "soil_temperature", "air_temperature", "air_humidity", "light", "rain", "wind_speed", "ph", "ec", "battery", "pressure")
DEVICES = 200  # the most that are counted one by one
SERIES = 10_000


def now(millisecond=0):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{millisecond:03}Z"


class Use(Monitored):
    def client(self, token=None):
        client = Client(self.stack.port["api"], token)
        self.addCleanup(client.connection.close)
        return client

    def exposition(self):
        return fetch(f"http://127.0.0.1:{self.stack.port['metrics']}/metrics")

    def live_a_day(self, number):
        """A day of people and devices: something for each panel."""
        anyone = self.client()
        login = {"email": f"day{number}@example.com", "password": "a long enough password"}
        anyone.make("/api/users", {**login, "displayName": "Day"})
        anyone.send("POST", "/api/sessions", {**login, "password": "not the password"})
        person = self.client(anyone.make("/api/sessions", login)["accessToken"])

        business = person.make("/api/businesses", {"name": "Stall", "category": "vegetables"})["id"]
        product = person.make(f"/api/businesses/{business}/products", {"name": "Leek", "price": {"amount": 120, "currency": "EUR"}, "unit": "piece"})["id"]
        buyer = self.client(self.token)
        order = buyer.make("/api/orders", {"businessId": business, "lines": [{"productId": product, "quantity": 2}]}, Idempotency_Key=str(uuid.uuid4()))["id"]
        for step in ("paid", "refunded"):
            person.make(f"/api/orders/{order}/transitions", {"to": step})
        for _ in range(3):
            anyone.send("GET", f"/api/businesses/{business}")

        garden = person.make("/api/gardens", {"name": "Bed"})["id"]
        device = person.make(f"/api/gardens/{garden}/devices", {"name": "probe"})
        readings = [{"sensorType": "soil_moisture", "value": value, "measuredAt": now(value)} for value in (12, 13, 13, 999)]
        self.client(device["key"]).make(f"/api/devices/{device['id']}/readings", {"readings": readings})
        person.make(f"/api/gardens/{garden}/insights", {"type": "watering", "provider": "rules"})
        self.stack.curl(self.stack.edge + "/api/businesses")

    def test_a_the_exposition_is_clean(self):
        self.live_a_day("clean")
        done = subprocess.run(["promtool", "check", "metrics"], input=self.exposition(), capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
        answer = self.stack.curl(self.stack.api + "/metrics", "-H", "Accept: application/openmetrics-text; version=1.0.0")
        self.assertIn("openmetrics", answer["Content-Type"])
        self.assertGreater(len(list(text_string_to_metric_families(answer.body))), 10)

    def test_b_prometheus_and_alertmanager_complain_of_nothing(self):
        for name in ("prometheus", "alertmanager"):
            self.assertNotRegex(self.stack.log(name), r"level=(error|ERROR)")
        self.assertEqual(self.stack.query("sum(prometheus_rule_evaluation_failures_total) > 0"), [])

    def test_c_every_rule_and_panel_shows_something(self):
        self.stack.report_backup()
        stop = self.asking()
        self.stack.restart_store("postgres")  # for the panels that show errors
        stop()
        until("the server to be ready", lambda: self.stack.curl(self.stack.api + "/readyz").status == 200)

        def faults():
            self.live_a_day(uuid.uuid4())
            done = subprocess.run(
                [ROOT / ".venv/bin/python", ROOT / "monitoring/expressions.py",
                 f"http://127.0.0.1:{self.stack.port['prometheus']}", f"http://127.0.0.1:{self.stack.port['metrics']}/metrics"],
                capture_output=True, text=True, check=False)
            return None if done.returncode == 0 else done.stdout + done.stderr

        end = time.monotonic() + 60
        while fault := faults():
            self.assertLess(time.monotonic(), end, fault)
            time.sleep(1)

    # --- many series ---

    def ask_everything(self):
        """Each route with each of its methods and one it lacks, for missing objects or with a wrong body."""
        documented = self.client().send("GET", "/openapi.json")[1]["paths"]
        for path, methods in documented.items():
            if path in ("/api/sessions/current", "/api/users/me"):
                continue  # the user is still needed
            place = re.sub(r"\{\w+\}", str(uuid.uuid4()), path)
            bodies = {"GET": None, "HEAD": None, "POST": {"wrong": 1}, "PATCH": {"wrong": 1}, "DELETE": None, "PUT": {}}
            for method, body in bodies.items():
                if method.lower() in methods or method in ("HEAD", "PUT"):
                    for client in (self.client(), self.client(self.token)):
                        client.send(method, place, body)

    def test_d_ten_thousand_series_are_scraped_in_time(self):
        owner = self.client(self.token)
        garden = owner.make("/api/gardens", {"name": "Large"})["id"]
        devices = [owner.make(f"/api/gardens/{garden}/devices", {"name": f"probe {number}"}) for number in range(DEVICES + 5)]

        def report(device):
            readings = [{"sensorType": sensor, "value": 10, "measuredAt": now()} for sensor in SENSORS]
            self.client(device["key"]).make(f"/api/devices/{device['id']}/readings", {"readings": readings})

        for device in devices[:DEVICES]:
            report(device)
        self.ask_everything()
        series = sum(not line.startswith("#") for line in self.exposition().splitlines())
        self.assertGreaterEqual(series, SERIES)

        # Each within a fifth of its limit in prometheus.yml; a slower one waited for the host's other work.
        in_time = f'(scrape_duration_seconds{{job="api"}} < 1 and scrape_samples_scraped{{job="api"}} >= {SERIES})[1m:1s]'
        stop = self.asking("/version")
        until("ten scrapes in time", lambda: self.stack.query(f"count_over_time({in_time}) >= 10"), 90)
        stop()
        until("Prometheus to hold them", lambda: self.stack.query(f'count({{job="api"}}) >= {SERIES}'))
        (_, shortest), = until("their figure", lambda: self.stack.query(f"min_over_time({in_time})"))
        print(f"{series} series; the shortest scrape took {shortest * 1000:.0f} ms")

        for device in devices[DEVICES:]:
            report(device)
        self.received("SeriesOverflow", family="iot_sensor_readings_total")
        self.assertIn('device_id="_other"', self.exposition())
