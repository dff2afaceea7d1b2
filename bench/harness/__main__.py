"""Measures the servers in turn and writes docs/benchmarks.md."""

import argparse
import itertools
import pathlib
import sys
from collections.abc import Iterator

from harness import ceilings, machine, report, stores
from harness.bars import INGESTION, all_bars
from harness.data import prepare
from harness.measure import Times, measure
from harness.parts import measure_parts
from harness.results import Results
from harness.servers import BUILT, Failure, Server, all_servers
from harness.start import measure_start
from harness.workloads import Workload, all_workloads

ROOT = pathlib.Path(__file__).parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="how long each measurement lasts (4)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each measurement is made (3)")
    parser.add_argument("--only", default="", help="measure only workloads whose name contains this")
    parser.add_argument("--servers", default="", help="measure only servers with these prefixes, separated by commas")
    parser.add_argument("--terroir", default=str(BUILT / "terroir"), help="the server's binary (bench/build's)")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs", help="where the report goes (docs)")
    parser.add_argument("--saved", action="store_true", help="write the report of the last run again, without measuring")
    return parser.parse_args()


def chosen(workloads: list[Workload], servers: dict[str, Server], options: argparse.Namespace, results: Results):
    """The cells of the table; those that cannot be measured here are noted."""
    prefixes = tuple(options.servers.split(","))
    cells = []
    for workload in workloads:
        if options.only not in workload.name:
            continue
        for name in workload.servers:
            if not name.startswith(prefixes):
                continue
            if servers[name].is_built:
                cells.append((workload, servers[name]))
            elif f"{name} (not built here)" not in results.skipped:
                results.skipped.append(f"{name} (not built here)")
    return cells


def in_turn(cells: list[tuple[Workload, Server]], round_number: int) -> Iterator[tuple[Workload, Server]]:
    """The cells of a round: within each workload every round begins with a different server."""
    for _, group in itertools.groupby(cells, key=lambda cell: cell[0].name):
        servers = list(group)
        first = round_number % len(servers)
        yield from servers[first:] + servers[:first]


def note(workload: str, server: str, sample) -> None:
    print(
        f"{workload:66} {server:20} {sample.rate:9,.0f}/s {sample.cpu_us:8.2f} µs CPU  P50 {sample.p50_us / 1000:7.2f} ms"
        f"  P99 {sample.p99_us / 1000:7.2f} ms  {sample.memory_mb:4.0f} MB  busy {sample.server_busy:4.0%}", flush=True)


def measure_ceilings(results: Results, data, times: Times, seconds: float) -> None:
    tools = {
        "pgbench, the garden by key, selects/s": lambda: ceilings.select_by_key(data, max(seconds, 4)),
        "redis-benchmark, GETs/s": lambda: ceilings.redis_get(seconds),
        "COPY, rows/s": lambda: ceilings.copy_readings(times.take()),
    }
    for name, measure_tool in tools.items():
        figure = measure_tool()
        print(f"{name:86} {figure:9,.0f}/s", flush=True)
        results.ceilings.setdefault(name, []).append(figure)


def note_parts(results: Results) -> None:
    for name, figure in measure_parts().items():
        print(f"{name:86} {figure:9,.1f} ns", flush=True)
        results.parts.setdefault(name, []).append(figure)


def run(options: argparse.Namespace) -> Results:
    command = "bench/run" + "".join(f" {part}" for part in sys.argv[1:])
    servers = all_servers(options.terroir)
    stores.start_anew()
    results = Results(machine.facts(command, options.seconds, options.rounds))
    with servers["terroir"].start() as terroir:
        data = prepare(terroir)
    if not options.only:
        results.start = measure_start(servers["terroir"])
    cells = chosen(all_workloads(data), servers, options, results)
    times = Times()
    for round_number in range(options.rounds):
        results.others.append(machine.others_share())
        print(f"round {round_number + 1} of {options.rounds}; other programs take {results.others[-1]:.0%}", flush=True)
        for workload, server in in_turn(cells, round_number):
            sample = measure(server, workload, data, times, options.seconds)
            results.add(workload.name, server.name, sample)
            note(workload.name, server.name, sample)
            if workload.name == INGESTION and server.name == "terroir":
                half = measure(server, workload, data, times, options.seconds, rate=sample.rate / 2)
                results.half_rate_p99_ms.append(half.p99_us / 1000)
                note(workload.name, "at half the rate", half)
        if not options.only:
            measure_ceilings(results, data, times, options.seconds)
            note_parts(results)
    return results


def main() -> None:
    options = arguments()
    saved = BUILT / "results.json"
    try:
        results = Results.read(saved) if options.saved else run(options)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except FileNotFoundError as missing:
        sys.exit(f"bench: {missing.filename} does not exist: nothing has been measured here yet")
    results.save(saved)
    options.output.mkdir(parents=True, exist_ok=True)
    report.write(results, options.output)
    for bar in all_bars(results):
        print(f"{'ok  ' if bar.holds else 'MISS'} {bar.promise}: {bar.measured}")


main()
