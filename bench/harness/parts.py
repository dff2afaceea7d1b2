"""Nanoseconds of small parts of the server, by the program that bench/check counts their instructions with."""

from harness.ceilings import pinned
from harness.servers import BUILT

PROGRAM = BUILT / "micro"
SECONDS, RUNS = 0.03, 5


def measure_parts() -> dict[str, float]:
    """By name, the least of some runs, since what disturbs only adds; a first one tells how long they must be."""
    if not PROGRAM.exists():
        return {}
    figures = {}
    for line in pinned([str(PROGRAM), "list"]).splitlines():
        name, iterations = line.split()
        first = float(pinned([str(PROGRAM), name, iterations]))
        command = [str(PROGRAM), name, str(max(1, round(SECONDS * 1e9 / first)))]
        figures[name] = min(float(pinned(command)) for _ in range(RUNS))
    return figures
