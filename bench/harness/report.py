"""Writes docs/benchmarks.md: all its figures come from one run."""

import pathlib

from harness.bars import all_bars
from harness.plot import plot
from harness.results import Results

INTRODUCTION = """# Benchmarks

Written by `{command}`; do not edit. [bench/README.md](../bench/README.md) says what is measured, and how.

{facts}

Unless a workload says "not pinned", the server has one core to itself, and the load and the stores share the other. A
rate is limited by whichever core is busy first; "server busy" tells which. Compare the CPU per request first: it varies
least from run to run. Figures are medians of {rounds} rounds in which the servers take turns, and ratios are medians of
the rounds' ratios; ± is half the distance between the highest and the lowest figure.
"""

BUSY = """
**The machine was not idle**, so this run does not rank the servers: other programs took much of both cores. That lowers
rates, raises latencies, favours servers with more database connections, and raises the CPU per request through cold
caches (see its ±). Run it again on an idle machine.
"""
QUIET_SHARE = 0.1

HEAD = """
## {workload}

| Server | CPU µs/request | ± | Requests/s | ± | P50 ms | P99 ms | Server busy | Peak memory MB |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


def row(results: Results, workload: str, server: str) -> str:
    def median(member: str) -> float:
        return results.median(workload, server, member) or 0

    return (
        f"| {server} | {median('cpu_us'):.2f} | {results.spread(workload, server, 'cpu_us') / 2:.0%} "
        f"| {median('rate'):,.0f} | {results.spread(workload, server, 'rate') / 2:.0%} "
        f"| {median('p50_us') / 1000:.2f} | {median('p99_us') / 1000:.2f} | {median('server_busy'):.0%} "
        f"| {median('memory_mb'):.0f} |\n"
    )


def tables(results: Results) -> str:
    text = ""
    for workload, servers in results.samples.items():
        text += HEAD.format(workload=workload)
        for server in sorted(servers, key=lambda name: results.median(workload, name, "cpu_us") or 0):
            text += row(results, workload, server)
    return text


def store_table(results: Results) -> str:
    if not results.ceilings:
        return ""
    text = "\n## The stores alone\n\n| Ceiling | Per second |\n| --- | ---: |\n"
    for name in results.ceilings:
        text += f"| {name} | {results.ceiling(name):,.0f} |\n"
    return text


def part_table(results: Results) -> str:
    if not results.parts:
        return ""
    text = "\n## Small parts\n\nThe parts whose instructions `bench/check` counts.\n\n| Part | ns |\n| --- | ---: |\n"
    return text + "".join(f"| {name} | {results.part(name):,.1f} |\n" for name in results.parts)


def bar_table(results: Results) -> str:
    text = "\n## Targets\n\n| Target | Measured | Met in this run |\n| --- | --- | --- |\n"
    for bar in all_bars(results):
        text += f"| {bar.promise} | {bar.measured} | {'yes' if bar.holds else '**no**'} |\n"
    return text


def write(results: Results, folder: pathlib.Path) -> None:
    others = ", ".join(f"{share:.0%}" for share in results.others) or "not noted"
    known = results.facts | {"Taken by other programs before each round": others}
    facts = "\n".join(f"- {name}: {value}" for name, value in known.items())
    text = INTRODUCTION.format(command=results.facts["Command"], facts=facts, rounds=results.facts["Rounds"])
    if max(results.others, default=0) > QUIET_SHARE:
        text += BUSY
    if results.skipped:
        text += "\nNot measured: " + "; ".join(results.skipped) + ".\n"
    text += bar_table(results) + "\n![CPU per request](benchmarks.svg)\n" + tables(results) + store_table(results)
    text += part_table(results)
    (folder / "benchmarks.md").write_text(text, encoding="utf-8")
    (folder / "benchmarks.svg").write_text(plot(results), encoding="utf-8")
