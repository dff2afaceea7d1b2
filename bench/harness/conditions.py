"""Preconditions of some workloads: a day and a year of readings, and a server with ten thousand series."""

import datetime
import time

from harness import stores
from harness.data import BUCKET, YEAR_BUCKETS, Data, text
from harness.servers import Failure, Running

YEAR_PAGE = 10_000  # the most for one request
YEAR_PAGES = -(-YEAR_BUCKETS // YEAR_PAGE)
SERIES = 10_000
CUSTOM_TYPES = 34  # times devices and outcomes, the most series that the family of readings may have
UNASKED = ("/events", "/sessions/current")  # the first never ends, the second ends the session
SOME_ID = "00000000-0000-7000-8000-000000000000"


def day_of_readings(terroir: Running, data: Data) -> None:
    """A reading per minute for a whole day, and the wait for its buckets."""
    if stores.count_buckets(data.devices[0]) == 288:
        return
    stores.empty_readings()
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
    raise Failure("the buckets of a day did not appear within 30 s")


def year_of_buckets(data: Data) -> None:
    """Copied into the table: through the API it would take 105,000 readings, most of them too old to be accepted."""
    if stores.count_buckets(data.devices[1]) == len(data.year):
        return
    stores.sql(f"DELETE FROM readings_5m WHERE device_id = '{data.devices[1]}'")
    rows = (
        f"{data.devices[1]}\tsoil_moisture\t{text(start)}\t{40 + i % 97 / 10}\t{42 + i % 89 / 10}\t{205 + i % 83 / 7}\t5\n"
        for i, start in enumerate(data.year))
    stores.copy_rows("readings_5m (device_id, sensor_type, start, min, max, sum, count)", "".join(rows))
    stores.sql("VACUUM ANALYZE readings_5m")


def year_paths(data: Data) -> list[str]:
    """A request for each page of the year."""
    ends = [*data.year[YEAR_PAGE::YEAR_PAGE], data.year[-1] + BUCKET]
    return [
        f"{data.readings_path(1)}?sensorType=soil_moisture&resolution=5m&limit={YEAR_PAGE}&from={text(start)}&to={text(end)}"
        for start, end in zip(data.year[::YEAR_PAGE], ends)]


def ten_thousand_series(terroir: Running, data: Data) -> None:
    """Readings of many types by every device, and every operation of the API refused or answered."""
    now = text(datetime.datetime.now(datetime.timezone.utc))
    for device, key in enumerate(data.keys):
        readings = [{"sensorType": f"probe_{i}", "value": i, "measuredAt": now} for i in range(CUSTOM_TYPES)]
        terroir.json("POST", data.readings_path(device), {"readings": readings}, key)
    for template, operations in terroir.json("GET", "/openapi.json")["paths"].items():
        if template.endswith(UNASKED):
            continue
        for method in [name.upper() for name in operations] + ["HEAD"] * ("get" in operations):
            for headers in ({}, {"Authorization": f"Bearer {data.token}"}):
                terroir.request(method, template.replace("{id}", SOME_ID), None, headers)


def series(exposition: bytes) -> int:
    return sum(1 for line in exposition.splitlines() if line and not line.startswith(b"#"))
