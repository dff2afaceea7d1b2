"""The stores' own limits on the load's core, measured by their own tools on the server's core."""

import datetime
import random
import re
import subprocess
import uuid

from harness import stores
from harness.data import Data
from harness.servers import BUILT, Failure, SERVER_CORE

COPY_ROWS = 500_000


def pinned(command: list[str]) -> str:
    pin = ["taskset", "-c", str(SERVER_CORE)]
    done = subprocess.run([*pin, *command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def first_number(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    if not found:
        raise Failure(f"no {pattern!r} in: {output}")
    return float(found[1])


def select_by_key(data: Data, seconds: float) -> float:
    """Rows per second by pgbench: the same garden, prepared, 16 connections."""
    script = BUILT / "select.sql"
    script.write_text(
        "SELECT id, owner_id, name, latitude, longitude, area_square_metres, public, created_at, updated_at"
        f" FROM gardens WHERE id = '{data.garden}' AND public;\n")
    command = ["pgbench", "-n", "-M", "prepared", "-c", "16", "-j", "1", "-T", str(round(seconds)), "-f", str(script)]
    return first_number(r"tps = ([\d.]+)", pinned([*command, stores.POSTGRES_URL]))


def redis_get(seconds: float) -> float:
    """GETs per second by redis-benchmark: 64 connections, 300 bytes."""
    port, password = stores.redis_address()
    command = ["redis-benchmark", "-p", str(port), "-c", "64", "-n", str(round(seconds * 60_000)), "-d", "300"]
    output = pinned([*command, "-a", password, "-t", "get", "--csv"])
    return first_number(r'"GET","([\d.]+)"', output)


def copy_readings(unix_ms: int) -> float:
    """Rows per second of one COPY into the table of readings."""
    devices = [str(uuid.UUID(int=random.getrandbits(128))) for _ in range(64)]
    path = BUILT / "readings.tsv"
    with open(path, "w", encoding="ascii") as file:
        for i in range(COPY_ROWS):
            moment = datetime.datetime.fromtimestamp((unix_ms + i // 64) / 1000, datetime.timezone.utc)
            file.write(f"{devices[i % 64]}\tsoil_moisture\t{moment.isoformat()}\t{20 + i % 64 / 2}\n")
    stores.empty_readings()
    command = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", stores.POSTGRES_URL, "-c", "\\timing on"]
    command += ["-c", f"\\copy readings (device_id, sensor_type, measured_at, value) FROM '{path}'"]
    return COPY_ROWS / first_number(r"Time: ([\d.]+) ms", pinned(command)) * 1000
