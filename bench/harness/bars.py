"""Targets for Terroir, as ratios within one run. CPU per request is the steadier figure, so both are given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.conditions import YEAR_PAGES
from harness.results import Results
from harness.start import LISTENING, RESIDENT, SIZE

LIVEZ = "GET /livez"
PIPELINED = "GET /livez, 16 pipelined"
CACHED = "GET /api/gardens/{id}, cached"
BY_KEY = "GET /api/gardens/{id}, one row by key"
INGESTION = "POST 10 readings, durable"
IDLE = "GET /livez, 10,000 mostly idle connections"
UNPINNED = "GET /livez, not pinned"
CLOSING = "GET /livez, a connection per request"
YEAR = "GET a year of readings in 5-minute buckets, page by page"
BUSINESSES = "GET /api/businesses, 1000 at once"
GARDENS = "GET /api/gardens, 100 at once"
SCRAPE = "GET /metrics, 10,000 series"
QUIET = "GET /api/gardens/{id} at 2,000/s, 10,000 series"
SCRAPED = f"{QUIET}, scraped four times a second"


@dataclass
class Bar:
    """A target, the measured value, and whether it is met."""

    promise: str
    measured: str
    holds: bool


def ratio(results: Results, workload: str, ours: str, theirs: str, factor: float) -> Iterator[Bar]:
    """Requests per second relative to another server."""
    rate, cpu = (results.ratio(workload, ours, theirs, member) for member in ("rate", "cpu_us"))
    if rate is None or cpu is None:
        return
    yield Bar(
        f"{workload}: ≥ {factor} × {theirs}", f"{rate:.2f} × the rate ({1 / cpu:.2f} × by CPU per request)",
        rate >= factor)


def start(results: Results) -> Iterator[Bar]:
    for name, limit, unit in [(SIZE, 16, "MB"), (LISTENING, 60, "ms"), (RESIDENT, 20, "MB")]:
        yield from at_most(name, results.start.get(name), limit, unit)


def at_most(promise: str, value: float | None, limit: float, unit: str) -> Iterator[Bar]:
    if value is not None:
        yield Bar(f"{promise} < {limit} {unit}", f"{value:.1f} {unit}", value < limit)


def least_cpu(results: Results, workload: str) -> Iterator[Bar]:
    """Against every peer that does the same work, so not the ceiling."""
    ours = results.median(workload, "terroir", "cpu_us")
    peers = [name for name in results.samples.get(workload, {}) if not name.startswith(("terroir", "C "))]
    if ours is None or not peers:
        return
    best = min(peers, key=lambda name: results.median(workload, name, "cpu_us") or 0)
    theirs = results.median(workload, best, "cpu_us") or 0
    yield Bar(f"{workload}: less CPU per request than every peer", f"{ours:.2f} µs, {best} {theirs:.2f} µs", ours < theirs)


def copy_share(results: Results) -> Iterator[Bar]:
    ours, copy = results.median(INGESTION, "terroir", "rate"), results.ceiling("COPY, rows/s")
    if ours is not None and copy:
        yield Bar("Readings stored: ≥ 0.7 × the rows/s of COPY", f"{ours * 10 / copy:.2f} ×", ours * 10 >= 0.7 * copy)


def tail(results: Results, workload: str, ours: str, peers: list[str]) -> Iterator[Bar]:
    our_tail = results.median(workload, ours, "p99_us")
    for peer in peers:
        their_tail = results.median(workload, peer, "p99_us")
        if our_tail is not None and their_tail is not None:
            measured = f"{our_tail / 1000:.2f} ms, {peer} {their_tail / 1000:.2f} ms"
            yield Bar(f"{workload}: P99 no higher than {peer}'s", measured, our_tail <= their_tail)


def half_of_peak(results: Results) -> Iterator[Bar]:
    halves = sorted(results.half_rate_p99_ms)
    yield from at_most(
        f"{INGESTION}: P99 at half of the peak rate", halves[len(halves) // 2] if halves else None, 20, "ms")


def memory(results: Results) -> Iterator[Bar]:
    """Under every load except the many connections, which have their own target."""
    ours = [
        sample.memory_mb for workload, servers in results.samples.items() if workload != IDLE
        for name, samples in servers.items() if name.startswith("terroir") for sample in samples]
    yield from at_most("Peak memory under every load but 10,000 connections", max(ours, default=None), 64, "MB")
    yield from at_most("10,000 connections: memory over the start", results.median(IDLE, "terroir", "growth_mb"), 40, "MB")


def history(results: Results) -> Iterator[Bar]:
    cpu, whole = (results.median(YEAR, "terroir", member) for member in ("cpu_us", "mean_us"))
    if cpu is not None and whole is not None:
        ours, all_ms = cpu * YEAR_PAGES / 1000, whole * YEAR_PAGES / 1000
        measured = f"{ours:.1f} ms ({all_ms:.0f} ms with what Postgres and the client take)"
        yield Bar("A year of 5-minute buckets as JSON: < 60 ms on the server", measured, ours < 60)


def service_levels(results: Results) -> Iterator[Bar]:
    """That no request failed needs no figure: any error ends a run, so a finished run had none."""

    def milliseconds(workload: str, member: str) -> float | None:
        value = results.median(workload, "terroir", member)
        return None if value is None else value / 1000

    yield from at_most(f"{BUSINESSES}, none failed: the slowest", milliseconds(BUSINESSES, "max_us"), 1000, "ms")
    for name, member, limit in [("mean", "mean_us", 200), ("P95", "p95_us", 200), ("P99", "p99_us", 10)]:
        yield from at_most(f"{GARDENS}, none failed: {name}", milliseconds(GARDENS, member), limit, "ms")


def observation(results: Results) -> Iterator[Bar]:
    scrape, quiet, scraped = (results.median(name, "terroir", "p99_us") for name in (SCRAPE, QUIET, SCRAPED))
    yield from at_most(f"{SCRAPE}: P99", None if scrape is None else scrape / 1000, 20, "ms")
    if quiet is not None and scraped is not None:
        yield from at_most("Such scrapes add to the P99 of other requests", (scraped - quiet) / 1000, 2, "ms")
    yield from at_most("Recording a request's metrics", results.part("metrics-record-request"), 20, "ns")


def all_bars(results: Results) -> list[Bar]:
    off = "terroir, cache off"
    groups: list[Callable[[], Iterator[Bar]]] = [
        lambda: ratio(results, LIVEZ, "terroir", "C ceiling", 0.9),
        lambda: ratio(results, LIVEZ, "terroir", "hyper", 1),
        lambda: ratio(results, LIVEZ, "terroir", "Hummingbird", 3),
        lambda: ratio(results, PIPELINED, "terroir", "C ceiling", 0.85),
        lambda: ratio(results, PIPELINED, "terroir", "hyper", 1),
        lambda: least_cpu(results, LIVEZ),
        lambda: least_cpu(results, PIPELINED),
        lambda: least_cpu(results, CLOSING),
        lambda: least_cpu(results, UNPINNED),
        lambda: ratio(results, CACHED, "terroir", "fasthttp, cache on", 3.5),
        lambda: ratio(results, CACHED, "terroir", "hyper, cache on", 1.5),
        lambda: tail(results, CACHED, "terroir", ["fasthttp, cache on", "hyper, cache on"]),
        lambda: ratio(results, BY_KEY, off, "fasthttp", 2.5),
        lambda: ratio(results, BY_KEY, off, "hyper", 1.4),
        lambda: tail(results, BY_KEY, off, ["fasthttp", "hyper"]),
        lambda: ratio(results, INGESTION, "terroir", "fasthttp", 3),
        lambda: ratio(results, INGESTION, "terroir", "hyper", 2.5),
        lambda: copy_share(results),
        lambda: half_of_peak(results),
        lambda: history(results),
        lambda: service_levels(results),
        lambda: observation(results),
        lambda: memory(results),
        lambda: start(results),
    ]
    return [bar for group in groups for bar in group()]
