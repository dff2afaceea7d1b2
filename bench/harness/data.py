"""What the measured routes read: made once through Terroir's own API."""

import datetime
import json
import time
from dataclasses import dataclass

from harness.servers import Failure, Running

DEVICES = 64
BUSINESSES = 50
READINGS_PER_REQUEST = 10
SENSORS = ["soil_moisture", "soil_temperature", "air_temperature", "air_humidity", "battery"]
TIME_MARK = "@" * 24  # the load puts a new time here


@dataclass
class Data:
    """Ids and keys of what was made."""

    garden: str
    devices: list[str]
    keys: list[str]
    day: tuple[str, str]

    @property
    def ingestion(self) -> list[bytes]:
        """A request for each device."""
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
    return Data(garden, ids, keys, (text(yesterday), text(midnight)))


def add_day(terroir: Running, data: Data) -> None:
    """A reading a minute for a whole day, and the wait for its buckets."""
    start = datetime.datetime.fromisoformat(data.day[0].replace("Z", "+00:00"))
    readings = [
        {"sensorType": "soil_moisture", "value": 40 + i % 97 / 10, "measuredAt": text(start + datetime.timedelta(minutes=i))}
        for i in range(1440)
    ]
    for part in (readings[:720], readings[720:]):
        terroir.json("POST", data.readings_path(0), {"readings": part}, data.keys[0])
    for _ in range(300):
        if len(terroir.json("GET", data.buckets_path, token=data.keys[0])["items"]) == 288:
            return
        time.sleep(0.1)
    raise Failure("the buckets of a day were not there within 30 s")
