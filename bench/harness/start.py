"""The cost of a start: size of the program, time until it listens, and resident memory then."""

import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

from harness.servers import Failure, Running, Server

SIZE, LISTENING, RESIDENT = "The program, stripped", "From its start to its first connection", "Resident after the start"
RUNS = 5
PATIENCE_SECONDS = 10


def measure_start(server: Server) -> dict[str, float]:
    """The program's megabytes, and the medians of several starts: the port opens only once the server serves."""
    starts = [one_start(server) for _ in range(RUNS)]
    listening, resident = (statistics.median(figures) for figures in zip(*starts))
    return {SIZE: stripped_mb(server.command[0]), LISTENING: listening, RESIDENT: resident}


def one_start(server: Server) -> tuple[float, float]:
    began = time.monotonic()
    with server.launch() as running:
        while not accepts(running):
            if time.monotonic() > began + PATIENCE_SECONDS:
                raise Failure(f"{server.name} does not listen within {PATIENCE_SECONDS} s")
            time.sleep(0.001)
        listening = (time.monotonic() - began) * 1000
        running.wait_until_ready()
        return listening, running.memory_mb("VmRSS")


def accepts(running: Running) -> bool:
    try:
        socket.create_connection(("127.0.0.1", running.port), timeout=1).close()
        return True
    except OSError:
        return False


def stripped_mb(program: str) -> float:
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, program], check=True)
        return pathlib.Path(stripped.name).stat().st_size / 1e6
