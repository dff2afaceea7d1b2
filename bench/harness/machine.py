"""The facts without which a figure is meaningless: machine, versions, date."""

import datetime
import os
import pathlib
import subprocess
import time

from harness import stores


def first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return (done.stdout or done.stderr).splitlines()[0].strip()


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return os.uname().machine


def built_from() -> str:
    """The revision that bench/build recorded; the checked-out one may be newer."""
    note = pathlib.Path(os.environ["BENCH_BUILT"], "revision")
    return note.read_text(encoding="ascii").strip() if note.exists() else "unknown"


def others_share() -> float:
    """The share of the processors that other programs use, over two seconds in which nothing is measured."""
    (busy, total), _, (busy_then, total_then) = spent(), time.sleep(2), spent()
    return (busy_then - busy) / max(1, total_then - total)


def spent() -> tuple[int, int]:
    """The processors' busy ticks, and all ticks (proc_stat(5): idle and iowait are the fourth and fifth)."""
    ticks = [int(field) for field in pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def facts(command: str, seconds: float, rounds: int) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = [
        first_line("swift", "--version"), first_line("go", "version"), first_line("python3", "--version"),
        "Node " + first_line("node", "--version"),
        "PostgreSQL " + stores.sql("SHOW server_version"), first_line("redis-server", "--version").split(" sha=")[0],
    ]
    return {
        "Command": command,
        "Rounds": f"{rounds}",
        "Seconds each": f"{seconds:g}",
        "Date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "Server built from": built_from(),
        "Machine": f"{os.cpu_count()} × {processor()}, {memory:.0f} GB, Linux {os.uname().release}",
        "Versions": "; ".join(versions),
    }
