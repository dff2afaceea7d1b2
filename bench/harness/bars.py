"""What Terroir must reach, as ratios within one run. CPU per request is the steadier figure, so both are told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.results import Results

LIVEZ = "GET /livez"
PIPELINED = "GET /livez, 16 pipelined"
CACHED = "GET /api/gardens/{id}, cached in Redis"
BY_KEY = "GET /api/gardens/{id}, one row by key"
INGESTION = "POST 10 readings, durable"
MEMORY_MB = 64
INGESTION_P99_MS = 20
SCRAPE_MS = 20


@dataclass
class Bar:
    """A promise, what was measured, and whether it holds."""

    promise: str
    measured: str
    holds: bool


def ratio(results: Results, workload: str, ours: str, theirs: str, factor: float) -> Iterator[Bar]:
    """Requests per second against another server's."""
    our_rate, their_rate = (results.median(workload, name, "rate") for name in (ours, theirs))
    our_cpu, their_cpu = (results.median(workload, name, "cpu_us") for name in (ours, theirs))
    if None in (our_rate, their_rate, our_cpu, their_cpu):
        return
    measured = f"{our_rate / their_rate:.2f} × the rate ({their_cpu / our_cpu:.2f} × by CPU per request)"
    yield Bar(f"{workload}: ≥ {factor} × {theirs}", measured, our_rate >= factor * their_rate)


def at_most(promise: str, value: float | None, limit: float, unit: str) -> Iterator[Bar]:
    if value is not None:
        yield Bar(f"{promise} < {limit} {unit}", f"{value:.1f} {unit}", value < limit)


def least_cpu(results: Results, workload: str) -> Iterator[Bar]:
    """Every peer that does the work; the ceiling does not."""
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
        yield Bar("Readings stored: ≥ 0.5 × the rows/s of COPY", f"{ours * 10 / copy:.2f} ×", ours * 10 >= 0.5 * copy)


def tail(results: Results, workload: str, ours: str, peers: list[str]) -> Iterator[Bar]:
    our_tail = results.median(workload, ours, "p99_us")
    for peer in peers:
        their_tail = results.median(workload, peer, "p99_us")
        if our_tail is not None and their_tail is not None:
            measured = f"{our_tail / 1000:.2f} ms, {peer} {their_tail / 1000:.2f} ms"
            yield Bar(f"{workload}: P99 no higher than {peer}'s", measured, our_tail <= their_tail)


def most_memory(results: Results) -> float | None:
    """Of Terroir under any load, in MB."""
    ours = [
        sample.memory_mb for servers in results.samples.values() for name, samples in servers.items()
        if name.startswith("terroir") for sample in samples]
    return max(ours, default=None)


def all_bars(results: Results) -> list[Bar]:
    off = "terroir, cache off"
    halves = sorted(results.half_rate_p99_ms)
    scrape = results.median("GET /metrics", "terroir", "p99_us")
    groups: list[Callable[[], Iterator[Bar]]] = [
        lambda: ratio(results, LIVEZ, "terroir", "C ceiling", 0.9),
        lambda: ratio(results, LIVEZ, "terroir", "hyper", 1),
        lambda: ratio(results, LIVEZ, "terroir", "Hummingbird", 3),
        lambda: ratio(results, PIPELINED, "terroir", "C ceiling", 0.75),
        lambda: ratio(results, PIPELINED, "terroir", "hyper", 1),
        lambda: least_cpu(results, LIVEZ),
        lambda: least_cpu(results, PIPELINED),
        lambda: ratio(results, CACHED, "terroir", "fasthttp, cache on", 2),
        lambda: ratio(results, BY_KEY, off, "fasthttp", 2),
        lambda: ratio(results, BY_KEY, off, "hyper", 1.5),
        lambda: tail(results, BY_KEY, off, ["fasthttp", "hyper"]),
        lambda: ratio(results, INGESTION, "terroir", "fasthttp", 3.5),
        lambda: ratio(results, INGESTION, "terroir", "hyper", 2),
        lambda: copy_share(results),
        lambda: at_most(
            f"{INGESTION}: P99 at half of the peak rate", halves[len(halves) // 2] if halves else None,
            INGESTION_P99_MS, "ms"),
        lambda: at_most("GET /metrics: P99", None if scrape is None else scrape / 1000, SCRAPE_MS, "ms"),
        lambda: at_most("Peak memory under every load above", most_memory(results), MEMORY_MB, "MB"),
    ]
    return [bar for group in groups for bar in group()]
