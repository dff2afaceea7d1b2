"""Nanoseconds of small parts of the server, by the program whose instructions bench/check counts."""

from harness.ceilings import pinned
from harness.servers import BUILT

PROGRAM = BUILT / "micro"
SECONDS, RUNS = 0.03, 5


def measure_parts() -> dict[str, float]:
    """By name, the least of several runs, since disturbances only add; a first run determines their length."""
    if not PROGRAM.exists():
        return {}
    figures = {}
    for line in pinned([str(PROGRAM), "list"]).splitlines():
        name, iterations = line.split()
        first = float(pinned([str(PROGRAM), name, iterations]))
        command = [str(PROGRAM), name, str(max(1, round(SECONDS * 1e9 / first)))]
        figures[name] = min(float(pinned(command)) for _ in range(RUNS))
    return figures
