"""The metrics that Prometheus has in a cluster, where its operator relabels the exporters' metrics."""
import pathlib
import re

import promql_parser
import yaml

from monitoring import expressions

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/kubernetes.md"
# The built-in metrics of CloudNativePG's exporter (config/manager/default-monitoring.yaml of its project) and those of
# the Barman Cloud plugin (its page on observability): those that a rule could use.
BACKUP = "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp"
BY_ITSELF = [
    {"__name__": name} for name in (
        "cnpg_collector_up", "cnpg_backends_total", "cnpg_pg_database_size_bytes", BACKUP,
        *(f"cnpg_pg_stat_archiver_{column}" for column in ("archived_count", "failed_count", "seconds_since_last_archival", "seconds_since_last_failure")),
        *(f"cnpg_pg_stat_database_{column}" for column in (
            "xact_commit", "xact_rollback", "blks_read", "blks_hit", "tup_fetched", "tup_inserted", "tup_updated", "deadlocks")),
    )
] + [{"__name__": "cnpg_pg_settings_setting", "name": name} for name in ("max_connections", "shared_buffers")]


def relabelled(labels, rules):
    """The labels after Prometheus' relabelling by replacement."""
    labels = dict(labels)
    for rule in rules:
        assert rule.keys() <= {"sourceLabels", "regex", "targetLabel", "replacement"}, "no other way to relabel is understood here"
        match = re.fullmatch(rule.get("regex", "(.*)"), ";".join(labels.get(name, "") for name in rule.get("sourceLabels", [])))
        if match:
            labels[rule["targetLabel"]] = re.sub(r"\$(\d)", lambda number, match=match: match[int(number[1])], rule.get("replacement", "$1"))
    return labels


def postgres(documents):
    """The database's samples, each by its labels, and their job."""
    cluster = next(document for document in documents if document["kind"] == "Cluster")
    endpoint, = next(document for document in documents if document["kind"] == "PodMonitor")["spec"]["podMetricsEndpoints"]
    samples = list(BY_ITSELF)
    for source in cluster["spec"]["monitoring"]["customQueriesConfigMap"]:
        found = next(document for document in documents if document["kind"] == "ConfigMap" and document["metadata"]["name"] == source["name"])
        for query, asked in yaml.safe_load(found["data"][source["key"]]).items():
            columns = (name for each in asked["metrics"] for name, column in each.items() if column["usage"] != "LABEL")
            samples += [{"__name__": f"cnpg_{query}_{column}"} for column in columns]
    return [relabelled(sample, endpoint["metricRelabelings"]) for sample in samples], relabelled({}, endpoint["relabelings"])["job"]


def asked(documents):
    """The metrics that alerts use, and the jobs whose absence is an alert."""
    rules = [rule for document in documents if document["kind"] == "PrometheusRule" for group in document["spec"]["groups"] for rule in group["rules"]]
    names = set().union(*(expressions.selected(promql_parser.parse(rule["expr"])) for rule in rules)) - {rule.get("record") for rule in rules}
    missed = next(rule["expr"] for rule in rules if rule.get("alert") == "TargetMissing")
    return names - {"up"}, set(re.findall(r'job="([\w-]+)"', missed))


def of_servers(name):
    """Whether the servers export it: `terroir edge-log` runs only beside our own nginx."""
    return not name.startswith("edge_") and not expressions.registered().isdisjoint({name, re.sub(r"_(bucket|sum|count)$", "", name)})


def named():
    """The prefixes of metrics, and the jobs, that the document assigns to the cluster's own exporters."""
    section = DOCUMENT.read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    rows = [[set(re.findall(r"`([\w-]+)`", column)) for column in row.split("|")[1:3]] for row in re.findall(r"^\| `.*$", section, re.M)]
    return (set().union(*column) for column in zip(*rows))
