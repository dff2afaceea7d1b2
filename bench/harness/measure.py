"""One measurement: a server started, verified, warmed up, loaded and stopped."""

import json
import pathlib
import subprocess
import time
from dataclasses import dataclass

from harness import stores
from harness.data import Data, READINGS_PER_REQUEST, add_day
from harness.servers import BUILT, Failure, Running, Server
from harness.workloads import Workload

LOAD_CORE = 1
WARM_UP_SECONDS = 1.0
# The readings of one run are of five minutes in the past; a second of load uses up some seconds of readings' time.
RUN_MILLISECONDS = 300_000
MAXIMUM_RUNS = 200


@dataclass
class Sample:
    """What one measurement gave."""

    rate: float
    cpu_us: float
    p50_us: float
    p99_us: float
    memory_mb: float
    server_busy: float


class Times:
    """Hands each ingestion run a stretch of time that no other had."""

    def __init__(self) -> None:
        self.next = int(time.time() * 1000) - MAXIMUM_RUNS * RUN_MILLISECONDS

    def take(self) -> int:
        self.next += RUN_MILLISECONDS
        return self.next


def write_requests(workload: Workload) -> pathlib.Path:
    path = BUILT / "requests"
    path.write_bytes(b"".join(request + b"\0" for request in workload.requests))
    return path


def load(running: Running, workload: Workload, seconds: float, unix_ms: int = 0, rate: float = 0) -> dict:
    """What the load generator printed."""
    command = ["taskset", "-c", str(LOAD_CORE), str(BUILT / "load"), "-f", str(write_requests(workload))]
    command += ["-o", str(running.port), "-c", str(workload.connections), "-l", str(workload.pipelined)]
    command += ["-w", str(WARM_UP_SECONDS), "-d", str(seconds), "-p", str(running.process.pid)]
    command += ["-t", str(unix_ms), "-r", str(rate)]
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
    with server.start() as running:
        if workload.needs_day and not stores.has_day(data.devices[0], data.day):
            stores.empty_readings()
            add_day(running, data)
        workload.verify(running)
        if workload.is_ingestion:
            stores.sql("TRUNCATE readings")
        result = load(running, workload, seconds, times.take(), rate)
        memory = running.peak_memory_mb()
    if workload.is_ingestion:
        check_stored(server, result)
    requests = result["requests"]
    return Sample(
        rate=requests / result["seconds"], cpu_us=result["cpu_ns"] / 1e3 / requests, p50_us=result["p50_us"],
        p99_us=result["p99_us"], memory_mb=memory, server_busy=result["cpu_ns"] / 1e9 / result["seconds"])


def check_stored(server: Server, result: dict) -> None:
    """Every reading that was confirmed is in the table."""
    stored = int(stores.sql("SELECT count(*) FROM readings"))
    if stored < result["all_requests"] * READINGS_PER_REQUEST:
        raise Failure(f"{server.name}: {result['all_requests']} requests confirmed, but only {stored} rows are stored")
