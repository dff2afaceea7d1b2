"""The private Postgres and Redis that all servers share, on the load's core."""

import os
import subprocess
import urllib.parse

# Absent when a saved report is rewritten.
POSTGRES_URL = os.environ.get("DATABASE_URL", "")
REDIS_URL = os.environ.get("REDIS_URL", "")


def sql(statement: str, database: str = "") -> str:
    """Runs SQL and returns its output, columns separated by |."""
    url = POSTGRES_URL if not database else POSTGRES_URL.rsplit("/", 1)[0] + "/" + database
    command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def copy_rows(table: str, rows: str) -> None:
    """COPY of tab-separated rows."""
    command = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", POSTGRES_URL, "-c", f"COPY {table} FROM STDIN"]
    subprocess.run(command, check=True, input=rows, text=True)


def redis_address() -> tuple[int, str]:
    """The port and the password."""
    url = urllib.parse.urlparse(REDIS_URL)
    return url.port or 6379, url.password or ""


def redis(*arguments: str) -> str:
    port, password = redis_address()
    environment = os.environ | {"REDISCLI_AUTH": password}
    command = ["redis-cli", "-h", "127.0.0.1", "-p", str(port), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def start_anew() -> None:
    """An empty database and an empty Redis."""
    sql("DROP DATABASE IF EXISTS terroir WITH (FORCE)", "postgres")
    sql("CREATE DATABASE terroir", "postgres")
    redis("FLUSHALL")


def empty_readings() -> None:
    """Before each ingestion: empties the tables, and runs a checkpoint so that none is due during the measurement."""
    sql("TRUNCATE readings, readings_5m, readings_1h, rollup_queue, rollup_additions")
    sql("CHECKPOINT")


def count_buckets(device: str) -> int:
    """The device's 5-minute buckets of soil moisture."""
    where = f"device_id = '{device}' AND sensor_type = 'soil_moisture'"
    return int(sql(f"SELECT count(*) FROM readings_5m WHERE {where}"))
