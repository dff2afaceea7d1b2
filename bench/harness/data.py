"""The data that the measured routes read, created once through Terroir's own API."""

import datetime
import json
from dataclasses import dataclass

from harness.servers import Running

DEVICES = 64
BUSINESSES = 50
READINGS_PER_REQUEST = 10
BUCKET = datetime.timedelta(minutes=5)
YEAR_BUCKETS = 365 * 288 - 24  # two hours less, so that retention keeps the first one during a run
SENSORS = ["soil_moisture", "soil_temperature", "air_temperature", "air_humidity", "battery"]
TIME_MARK = "@" * 24  # the load generator puts a new time here


@dataclass
class Data:
    """Ids and keys of what was created."""

    garden: str
    devices: list[str]
    keys: list[str]
    day: tuple[str, str]
    year: list[datetime.datetime]  # the starts of its 5-minute buckets
    token: str

    @property
    def ingestion(self) -> list[bytes]:
        """A request per device."""
        values = [{"sensorType": SENSORS[i % 5], "value": 20 + i / 2, "measuredAt": TIME_MARK} for i in range(10)]
        body = json.dumps({"readings": values}, separators=(",", ":"))
        return [post(self.readings_path(i), key, body) for i, key in enumerate(self.keys)]

    def readings_path(self, device: int) -> str:
        return f"/api/devices/{self.devices[device]}/readings"

    @property
    def buckets_path(self) -> str:
        start, end = self.day
        return f"{self.readings_path(0)}?sensorType=soil_moisture&from={start}&to={end}&resolution=5m&limit=1000"


def post(path: str, key: str, body: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def text(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def prepare(terroir: Running) -> Data:
    account = {"email": "bench@terroir.example", "password": "sunflowers-and-rain", "displayName": "Bench"}
    terroir.json("POST", "/api/users", account)
    del account["displayName"]
    token = terroir.json("POST", "/api/sessions", account)["accessToken"]
    place = {"latitude": 48.86, "longitude": 2.35}
    new = {"name": "Walled garden", "areaSquareMetres": 420, "public": True, "location": place}
    garden = terroir.json("POST", "/api/gardens", new, token)["id"]
    devices = [
        terroir.json("POST", f"/api/gardens/{garden}/devices", {"name": f"Probe {i}"}, token) for i in range(DEVICES)
    ]
    for i in range(BUSINESSES):
        business = {"name": f"Farm {i}", "category": "vegetables", "description": "Picked the day it is sold."}
        terroir.json("POST", "/api/businesses", business, token)
    midnight = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = midnight - datetime.timedelta(days=1)
    ids, keys = [device["id"] for device in devices], [device["key"] for device in devices]
    hour = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
    year = [hour - i * BUCKET for i in range(YEAR_BUCKETS, 0, -1)]
    return Data(garden, ids, keys, (text(yesterday), text(midnight)), year, token)

