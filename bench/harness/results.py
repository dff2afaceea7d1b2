"""Samples of several rounds, and their medians."""

import json
import pathlib
import statistics
from dataclasses import asdict, dataclass, field

from harness.measure import Sample


@dataclass
class Results:
    """Samples by workload and server; `ceilings` are rates of the stores alone, `parts` nanoseconds, `start` the cost
    of a start, `facts` about machine and run, `others` the share of the processors that other programs used before
    each round."""

    facts: dict[str, str]
    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    ceilings: dict[str, list[float]] = field(default_factory=dict)
    parts: dict[str, list[float]] = field(default_factory=dict)
    start: dict[str, float] = field(default_factory=dict)
    half_rate_p99_ms: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, workload: str, server: str, sample: Sample) -> None:
        self.samples.setdefault(workload, {}).setdefault(server, []).append(sample)

    def median(self, workload: str, server: str, member: str) -> float | None:
        """None if it was not measured."""
        samples = self.samples.get(workload, {}).get(server)
        return statistics.median(getattr(sample, member) for sample in samples) if samples else None

    def ratio(self, workload: str, ours: str, theirs: str, member: str) -> float | None:
        """The median of the rounds' ratios: within a round the conditions are most alike."""
        pairs = [self.samples.get(workload, {}).get(server) for server in (ours, theirs)]
        if not all(pairs):
            return None
        return statistics.median(getattr(our, member) / getattr(their, member) for our, their in zip(*pairs))

    def spread(self, workload: str, server: str, member: str) -> float:
        """The spread of the rounds' figures, as a share of their median."""
        figures = [getattr(sample, member) for sample in self.samples[workload][server]]
        return (max(figures) - min(figures)) / statistics.median(figures)

    def ceiling(self, name: str) -> float | None:
        return statistics.median(self.ceilings[name]) if self.ceilings.get(name) else None

    def part(self, name: str) -> float | None:
        return statistics.median(self.parts[name]) if self.parts.get(name) else None

    def save(self, path: pathlib.Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: pathlib.Path) -> "Results":
        content = json.loads(path.read_text())
        for servers in content["samples"].values():
            for name, samples in servers.items():
                servers[name] = [Sample(**sample) for sample in samples]
        return cls(**content)
