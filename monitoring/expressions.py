#!/usr/bin/env python3
"""Checks every PromQL expression of the rules and dashboards: it parses, and each metric it names is known.

A name is known if a recording rule records it, exporter-metrics.txt lists it, or the server's sources register it.
With the addresses of a Prometheus and of a server's metrics as arguments, a name is known if one of the two has it, and
every recording rule and panel must yield a number there.
"""
import functools
import json
import math
import pathlib
import re
import sys
import urllib.parse
import urllib.request

import promql_parser
import yaml

HERE = pathlib.Path(__file__).parent
# Metrics of parts that not every host has: backups, a control group with a limit, a replica.
LATER = {
    "process_memory_limit_bytes", "pg_replica_lag_seconds", "database_replica_lag_seconds",
    "terroir_backup_last_success_timestamp_seconds", "terroir_backup_last_run_success",
    "terroir_restore_test_last_success_timestamp_seconds", "terroir_restore_test_last_run_success",
}


def rules():
    for name in ("recording.yml", "alerts.yml"):
        for group in yaml.safe_load((HERE / "prometheus" / name).read_text())["groups"]:
            for rule in group["rules"]:
                yield f"{name}: {rule.get('alert') or rule['record']}", rule["expr"], rule.get("record")


def panels():
    for path in sorted((HERE / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.name}: {panel['title']}", target["expr"], None


def selected(node):
    """The names of the metrics that an expression selects."""
    if isinstance(node, promql_parser.VectorSelector):
        return {node.name}
    below = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    return set().union(*(selected(each) for each in [*below, *getattr(node, "args", [])] if each is not None))


@functools.cache
def registered():
    """Every word in the server's sources: a superset of the metrics it registers."""
    return set().union(*(re.findall(r'"([a-z][a-z0-9_]+)"', path.read_text()) for path in (HERE.parent / "Sources").rglob("*.swift")))


def known_from_files():
    recorded = {record for _, _, record in rules() if record}
    return recorded.union((HERE / "exporter-metrics.txt").read_text().split(), registered())


def known_from_running(prometheus, metrics):
    """The names in Prometheus, and the server's families, which declare their type before the first sample."""
    held = set(asked(f"{prometheus}/api/v1/label/__name__/values")["data"])
    with urllib.request.urlopen(metrics, timeout=10) as answer:
        return held.union(re.findall(r"^# TYPE (\S+)", answer.read().decode(), re.M))


def asked(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def is_silent(prometheus, expr):
    """Whether an expression yields no number."""
    query = urllib.parse.quote(expr.replace("$__rate_interval", "20s"))
    samples = asked(f"{prometheus}/api/v1/query?query={query}")["data"]["result"]
    return all(math.isnan(float(sample["value"][1])) for sample in samples)


def main():
    running = sys.argv[1:]
    known = known_from_running(*running) if running else known_from_files()
    known |= LATER | {"ALERTS"}
    every, faults = [*rules(), *panels()], set()
    for place, expr, record in every:
        try:
            names = selected(promql_parser.parse(expr.replace("$__rate_interval", "5m")))
        except ValueError as fault:
            faults.add(f"{place}: {fault}")
            continue
        # A histogram is registered under its base name.
        unknown = {name for name in names - known if re.sub(r"_(bucket|sum|count)$", "", name) not in known}
        faults.update(f"{place}: unknown metric {name}" for name in unknown)
        # An alert's expression yields nothing while all is well; a recording rule is queried by its name.
        if running and not place.startswith("alerts.yml") and is_silent(running[0], record or expr):
            faults.add(f"{place}: shows nothing")
    print("\n".join(sorted(faults)) or f"{len(every)} expressions, every metric known")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
