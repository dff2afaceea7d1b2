"""What programs do with the API: a client that openapi-python-client generates from the document does what a grower, a
buyer and a seller come for, and pandas reads a year of a garden in one call."""
import datetime
import importlib
import os
import pathlib
import pkgutil
import subprocess
import sys
import tempfile
import unittest
import uuid

import pandas

from Tests.Live.service import PASSWORD, Service

TOOLS = pathlib.Path(sys.executable).parent
HOUR = datetime.timedelta(hours=1)


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service())

    def test_a_generated_client_grows_buys_and_sells(self):
        self.generate()
        for module in pkgutil.walk_packages(importlib.import_module("grower").__path__, "grower."):
            importlib.import_module(module.name)
        models = self.part("models")
        rosa, ada = self.person("Rosa"), self.person("Ada")

        garden = self.call("gardens.create_garden", rosa, body=models.GardenInput(name="South slope"))
        probe = self.call("devices.create_device", rosa, garden.id, body=models.DeviceInput(name="Tomato bed"))
        device = self.client(probe.key)
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        readings = [models.ReadingInput("soil_moisture", 41.5 - step, now - step * HOUR) for step in range(3)]
        receipt = self.call("readings.store_own_readings", device, body=models.Readings(readings))
        self.assertEqual((receipt.accepted, receipt.rejected), (3, []))
        self.assertEqual(self.call("devices.get_own_device", device).garden.name, "South slope")
        latest = self.call("gardens.get_garden_latest", rosa, garden.id).items
        self.assertEqual([(one.device_id, one.value, one.unit, one.measured_at) for one in latest], [(probe.id, 41.5, "%", now)])
        page = self.call("readings.list_garden_readings", rosa, garden.id, from_=now - HOUR)
        self.assertEqual([(one.measured_at, one.value) for one in page.items], [(now - HOUR, 40.5), (now, 41.5)])
        insight = self.call("insights.create_insight", rosa, garden.id, body=models.InsightRequest(models.InsightType.WATERING))
        self.assertEqual(insight.provider, models.InsightProvider.RULES)

        # A program that may read sees what its owner sees, and what is public everyone does.
        token = self.call("tokens.create_token", rosa, body=models.PersonalTokenInput("Grafana", [models.TokenScope.READ])).token
        reader = self.client(token)
        self.assertEqual([one.id for one in self.call("gardens.list_gardens", reader, owner=models.GardenOwner.ME).items], [garden.id])
        self.assertEqual(self.call("gardens.get_garden", ada, garden.id, status=404).title, "Not found")
        shown = self.call("gardens.update_garden", rosa, garden.id, body=models.GardenChange(public=True))
        self.assertTrue(shown.public)
        self.assertEqual(self.call("gardens.get_garden", ada, garden.id).name, "South slope")

        shop = self.call("businesses.create_business", rosa, body=models.BusinessInput("Rosa's farm", "farm"))
        price = models.Money(320, "EUR")
        product = self.call("products.create_product", rosa, shop.id, body=models.ProductInput("Tomatoes", price, "kg", stock=5))
        wanted = models.OrderInput(shop.id, [models.OrderLineInput(product.id, 2)])
        order = self.call("orders.create_order", ada, body=wanted, idempotency_key="order-1")
        self.assertEqual(order.total, models.Money(640, "EUR"))
        again = self.call("orders.create_order", ada, body=wanted, idempotency_key="order-1")
        self.assertEqual(again.id, order.id)
        sold = self.call("orders.list_orders", rosa, role=models.OrderRole.SELLER).items
        self.assertEqual([one.id for one in sold], [order.id])
        for step in ("PAID", "PREPARING", "SHIPPED", "DELIVERED"):
            moved = self.call("orders.move_order", rosa, order.id, body=models.OrderTransition(models.OrderStatus[step]))
            self.assertEqual(moved.status, models.OrderStatus[step])
        self.call("gardens.delete_garden", rosa, garden.id, status=204)
        self.assertEqual(self.service.errors, [])

    def generate(self):
        """Makes the client of the server's own document."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
        subprocess.run(
            [TOOLS / "openapi-python-client", "generate", "--url", f"{self.service.url}/openapi.json", "--meta", "none",
             "--output-path", pathlib.Path(folder, "grower")], env=environment, check=True, capture_output=True)
        sys.path.insert(0, folder)
        self.addCleanup(sys.path.remove, folder)

    def part(self, name):
        return importlib.import_module(f"grower.{name}")

    def client(self, token):
        client = self.part("client").AuthenticatedClient(self.service.url, token=token, raise_on_unexpected_status=True)
        return self.enterContext(client)

    def call(self, operation, client, *arguments, status=None, **options):
        """What an operation gives; a success unless another status is due."""
        answer = self.part(f"api.{operation}").sync_detailed(*arguments, client=client, **options)
        self.assertIn(answer.status_code, [status] if status else [200, 201], answer.content)
        return answer.parsed

    def person(self, name):
        """A client that is signed in to an account of its own."""
        models = self.part("models")
        stranger = self.enterContext(self.part("client").Client(self.service.url, raise_on_unexpected_status=True))
        email = f"{uuid.uuid4().hex}@example.org"
        self.call("accounts.register", stranger, body=models.Registration(email, PASSWORD, name))
        return self.client(self.call("sessions.sign_in", stranger, body=models.SignIn(email, PASSWORD)).access_token)

    def test_pandas_reads_a_year_of_a_garden_in_one_call(self):
        token = self.service.sign_up()
        garden = self.service.call("POST", "/api/gardens", {"name": "South slope"}, token)[1]["id"]
        last = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
        hours = pandas.date_range(end=last, periods=365 * 24, freq="h")
        written = []
        for bed in range(2):
            device = self.service.call("POST", f"/api/gardens/{garden}/devices", {"name": f"Bed {bed}"}, token)[1]["id"]
            for place, sensor in enumerate(("soil_moisture", "soil_temperature")):
                values = [(hour % 200) / 8 + 10 * bed + place for hour in range(len(hours))]
                written.append(pandas.DataFrame({"deviceId": device, "sensorType": sensor, "measuredAt": hours, "value": values}))
            history = pandas.concat(written[-2:]).to_csv(index=False, columns=["sensorType", "value", "measuredAt"], date_format="%Y-%m-%dT%H:%M:%SZ")
            status, report = self.service.call("POST", f"/api/devices/{device}/history", history.encode(), token, type="text/csv")
            self.assertEqual((status, report["created"]["reading"]), (200, 2 * len(hours)), report)

        since = hours[0].strftime("%Y-%m-%dT%H:%M:%SZ")
        read = pandas.read_csv(
            f"{self.service.url}/api/gardens/{garden}/readings?from={since}", parse_dates=["measuredAt"],
            storage_options={"Authorization": f"Bearer {token}", "Accept": "text/csv"})

        order = ["deviceId", "sensorType", "measuredAt"]
        expected = pandas.concat(written).sort_values(order, ignore_index=True)
        self.assertEqual(len(read), 35_040)
        pandas.testing.assert_frame_equal(
            read.sort_values(order, ignore_index=True)[expected.columns], expected, check_dtype=False)
