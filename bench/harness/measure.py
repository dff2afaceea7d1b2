"""One measurement: a server is started, verified, warmed up, loaded and stopped."""

import contextlib
import json
import pathlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from harness import stores
from harness.data import Data, READINGS_PER_REQUEST
from harness.servers import BUILT, Failure, Running, Server
from harness.workloads import Workload

LOAD_CORE = 1
WARM_UP_SECONDS = 1.0
# The times of a run's readings are within five minutes of the past; a second of load uses up several seconds of them.
RUN_MILLISECONDS = 300_000
MAXIMUM_RUNS = 200


@dataclass
class Sample:
    """The results of one measurement."""

    rate: float
    cpu_us: float
    mean_us: float
    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float
    memory_mb: float
    growth_mb: float  # from the start of the load to the peak
    server_busy: float


class Times:
    """Gives each ingestion run a period of time that no other run has used."""

    def __init__(self) -> None:
        self.next = int(time.time() * 1000) - MAXIMUM_RUNS * RUN_MILLISECONDS

    def take(self) -> int:
        self.next += RUN_MILLISECONDS
        return self.next


def write_requests(name: str, requests: list[bytes]) -> pathlib.Path:
    path = BUILT / name
    path.write_bytes(b"".join(request + b"\0" for request in requests))
    return path


def load_command(running: Running, is_pinned: bool, file: pathlib.Path, **options) -> list[str]:
    pin = ["taskset", "-c", str(LOAD_CORE)] if is_pinned else []
    command = [*pin, str(BUILT / "load"), "-f", str(file), "-o", str(running.port), "-w", str(WARM_UP_SECONDS)]
    return command + [part for name, value in options.items() for part in (f"-{name}", str(value))]


@contextlib.contextmanager
def scraped(running: Running, workload: Workload, seconds: float) -> Iterator[None]:
    """Meanwhile scrapes /metrics with a second load."""
    if not workload.scrapes_per_second:
        yield
        return
    file = write_requests("scrape", [b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n"])
    command = load_command(running, workload.is_pinned, file, c=1, d=seconds, r=workload.scrapes_per_second)
    scraper = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield
    result = json.loads(scraper.communicate(timeout=60)[0] or "{}")
    if not result.get("requests") or result["bad_status"] or result["broken"]:
        raise Failure(f"{running.server.name}: scrapes failed: {result}")


def load(running: Running, workload: Workload, seconds: float, unix_ms: int, rate: float) -> dict:
    """The load generator's output."""
    command = load_command(
        running, workload.is_pinned, write_requests("requests", workload.requests), c=workload.connections,
        l=workload.pipelined, d=seconds, p=running.process.pid, t=unix_ms, r=rate)
    with scraped(running, workload, seconds):
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise Failure(f"{running.server.name}, {workload.name}: the load failed: {done.stderr.strip()}")
    result = json.loads(done.stdout)
    if result["bad_status"] or result["broken"] or not result["requests"]:
        raise Failure(f"{running.server.name}, {workload.name}: errors: {result}")
    return result


def measure(server: Server, workload: Workload, data: Data, times: Times, seconds: float, rate: float = 0) -> Sample:
    if workload.is_ingestion:
        stores.empty_readings()
    with server.start(workload.is_pinned) as running:
        workload.prepare(running)
        workload.verify(running)
        if workload.is_ingestion:
            stores.sql("TRUNCATE readings")
        before = running.memory_mb("VmRSS")
        result = load(running, workload, seconds * workload.lasts, times.take(), rate or workload.rate)
        memory = running.memory_mb("VmHWM")
    if workload.is_ingestion:
        check_stored(server, result)
    requests = result["requests"]
    latencies = {name: result[name] for name in ("mean_us", "p50_us", "p95_us", "p99_us", "max_us")}
    return Sample(
        rate=requests / result["seconds"], cpu_us=result["cpu_ns"] / 1e3 / requests, **latencies, memory_mb=memory,
        growth_mb=memory - before, server_busy=result["cpu_ns"] / 1e9 / result["seconds"])


def check_stored(server: Server, result: dict) -> None:
    """Every confirmed reading must be in the table."""
    stored = int(stores.sql("SELECT count(*) FROM readings"))
    if stored < result["all_requests"] * READINGS_PER_REQUEST:
        raise Failure(f"{server.name}: {result['all_requests']} requests confirmed, but only {stored} rows are stored")
