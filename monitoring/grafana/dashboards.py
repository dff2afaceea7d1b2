#!/usr/bin/env python3
"""Writes the dashboards in dashboards/. Run it after a change; `make check` fails if the files differ from its output.

A panel is one line: title, unit, and pairs of expression and legend.
"""
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent / "dashboards"
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}


def panel(kind, title, unit, *targets, width=8, description="", **options):
    """A panel; `dashboard` places it in the grid."""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": PROMETHEUS,
        "gridPos": {"w": width, "h": 4 if kind == "stat" else 8},
        "fieldConfig": {"defaults": {"unit": unit, **options}, "overrides": []},
        "targets": [
            {"refId": chr(65 + i), "datasource": PROMETHEUS, "expr": expr, "legendFormat": legend, "exemplar": "bucket" in expr}
            for i, (expr, legend) in enumerate(targets)
        ],
    }


def graph(title, unit, *targets, **options):
    return panel("timeseries", title, unit, *targets, min=0, **options)


def stat(title, unit, expr, *steps, **options):
    """One number; steps are pairs of colour and the value at which it begins."""
    thresholds = {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in (("green", None), *steps)]}
    return panel("stat", title, unit, (expr, ""), width=4, thresholds=thresholds, **options)


def heatmap(title, expr):
    made = panel("heatmap", title, "s", (expr, "{{le}}"), width=12)
    made["targets"][0]["format"] = "heatmap"
    made["options"] = {"calculate": False, "yAxis": {"unit": "s"}, "color": {"scheme": "Turbo", "mode": "scheme"}}
    return made


def dashboard(uid, title, *rows, refresh="30s"):
    panels, top = [], 0
    for name, row in rows:
        panels.append({"type": "row", "title": name, "collapsed": False, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}})
        top, left, height = top + 1, 0, 0
        for each in row:
            place = each["gridPos"]
            if left + place["w"] > 24:
                top, left, height = top + height, 0, 0
            place.update(x=left, y=top)
            left, height = left + place["w"], max(height, place["h"])
            panels.append(each)
        top += height
    for number, each in enumerate(panels, 1):
        each["id"] = number
    return {
        "uid": uid,
        "title": title,
        "tags": ["terroir"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": refresh,
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "title": "Terroir", "tags": ["terroir"], "asDropdown": True}],
        "panels": panels,
    }


def rate(metric, by, selector=""):
    return f"sum by ({by}) (rate({metric}{{{selector}}}[$__rate_interval]))"


def quantile(q, metric, by="", selector=""):
    return f"histogram_quantile({q}, sum by (le{by and ', ' + by}) (rate({metric}_bucket{{{selector}}}[$__rate_interval])))"


api = dashboard(
    "terroir-api",
    "Terroir: API",
    ("Now", [
        stat("Requests", "reqps", "sum(api:requests:rate5m)"),
        stat("Failing", "percentunit", "api:error_ratio:rate5m", ("orange", 0.001), ("red", 0.01)),
        stat("P95", "s", "api:latency:p95_5m", ("orange", 0.2), ("red", 2)),
        stat("Error budget left, 30 days", "percentunit", "1 - api:error_ratio:rate30d / 0.001", description="The share left of the 0.1 % of requests that may fail in 30 days."),
        stat("Servers", "short", 'sum(up{job="api"})'),
        stat("Alerts firing", "short", 'count(ALERTS{alertstate="firing",alertname!~"Watchdog|ServersDown"}) or vector(0)', ("red", 1), description="Without those that notify nobody: the watchdog, which always fires, and ServersDown."),
    ]),
    ("Rate, errors, duration", [
        graph("Requests by route", "reqps", ("sum by (route) (api:requests:rate5m)", "{{route}}"), width=12),
        graph("Errors by route", "reqps", ('sum by (route, status_class) (api:requests:rate5m{status_class=~"4xx|5xx"})', "{{route}} {{status_class}}"), width=12),
        graph("Latency", "s", ("api:latency:p50_5m", "P50"), ("api:latency:p95_5m", "P95"), ("api:latency:p99_5m", "P99"), width=12),
        heatmap("Latency, all routes", "sum by (le) (increase(http_request_duration_seconds_bucket[$__rate_interval]))"),
        graph("P95 by route", "s", ("api:latency_route:p95_5m", "{{route}}"), width=12),
        graph("Status codes", "reqps", (rate("http_requests_total", "status_code"), "{{status_code}}"), width=12),
    ]),
    ("Service level: 99.9 %", [
        graph("Burn rate", "x",
              *((f"api:error_ratio:rate{w} / 0.001", w) for w in ("5m", "1h", "6h", "1d", "3d")),
              width=12, description="At 1 the month's budget lasts a month; at 14.4, two days."),
        graph("Errors by cause", "reqps", (rate("application_errors_total", "error_type"), "{{error_type}}"), width=12),
    ]),
    ("Edge", [
        graph("nginx requests", "reqps", ("rate(nginx_http_requests_total[$__rate_interval])", "requests")),
        graph("nginx connections", "short", ("nginx_connections_active", "active"), ("nginx_connections_waiting", "idle")),
        graph("Probe from outside", "s", ("probe_duration_seconds", "{{instance}}")),
    ]),
)

runtime = dashboard(
    "terroir-runtime",
    "Terroir: runtime",
    ("Process", [
        graph("Processor", "percentunit", ('rate(process_cpu_seconds_total{job="api"}[$__rate_interval])', "{{instance}}")),
        graph("Resident memory", "bytes", ('process_resident_memory_bytes{job="api"}', "{{instance}}")),
        graph("Descriptors", "short", ('process_open_fds{job="api"}', "open"), ('process_max_fds{job="api"}', "limit")),
        graph("Connections", "short", ("sum(open_connections)", "open"), ("sum(active_connections)", "serving")),
        graph("Event loop lag, P99", "s", (quantile(0.99, "event_loop_lag_seconds", "loop"), "loop {{loop}}")),
        graph("Dependencies", "short", ("dependency_up", "{{name}}"), description="1 is up, 0 is down."),
        graph("Threads", "short", ('process_threads{job="api"}', "{{instance}}")),
        graph("Uptime", "s", ('time() - process_start_time_seconds{job="api"}', "{{instance}}")),
        graph("Dropped", "ops",
              *((f"sum(rate({name}_dropped_total[$__rate_interval]))", what)
                for name, what in (("garden_events", "garden events"), ("log_lines", "log lines"), ("trace_spans", "spans"), ("connections", "connections"))),
              description="Dropped because the receiver was away or slow; connections for want of descriptors or memory."),
        panel("table", "Versions", "short", ("build_info", "{{version}} {{revision}}")),
    ]),
)

stores = dashboard(
    "terroir-stores",
    "Terroir: Postgres and Redis",
    ("Seen from the server", [
        graph("Statements, P95", "s", (quantile(0.95, "database_query_duration_seconds", "statement"), "{{statement}}"), width=12),
        graph("Redis commands, P95", "s", (quantile(0.95, "redis_command_duration_seconds", "command"), "{{command}}"), width=12),
        graph("Connections", "short", ("sum(database_connections_active)", "Postgres active"), ("sum(database_connections_idle)", "Postgres idle"), ("sum(redis_connections_active)", "Redis"), width=12),
        graph("Cache hits", "percentunit",
              ('sum by (cache) (rate(cache_requests_total{result="hit"}[$__rate_interval])) / sum by (cache) (rate(cache_requests_total[$__rate_interval]))', "{{cache}}"), width=12),
    ]),
    ("Postgres", [
        graph("Sessions", "short", ("sum by (state) (pg_stat_activity_count)", "{{state}}"), ("pg_settings_max_connections", "limit")),
        graph("Transactions", "ops", ("sum(rate(pg_stat_database_xact_commit[$__rate_interval]))", "commit"), ("sum(rate(pg_stat_database_xact_rollback[$__rate_interval]))", "rollback")),
        graph("Size", "bytes", ('pg_database_size_bytes{datname="terroir"}', "{{datname}}")),
        graph("Rows", "ops", ("sum(rate(pg_stat_database_tup_inserted[$__rate_interval]))", "inserted"), ("sum(rate(pg_stat_database_tup_updated[$__rate_interval]))", "updated"), ("sum(rate(pg_stat_database_tup_fetched[$__rate_interval]))", "fetched")),
        graph("Buffer hits", "percentunit", ("sum(rate(pg_stat_database_blks_hit[$__rate_interval])) / (sum(rate(pg_stat_database_blks_hit[$__rate_interval])) + sum(rate(pg_stat_database_blks_read[$__rate_interval])))", "hits")),
        graph("Deadlocks", "short", ("sum(increase(pg_stat_database_deadlocks[$__rate_interval]))", "deadlocks")),
    ]),
    ("Redis", [
        graph("Memory", "bytes", ("redis_memory_used_bytes", "used"), ("redis_memory_max_bytes", "limit")),
        graph("Commands", "ops", ("sum by (cmd) (rate(redis_commands_total[$__rate_interval]))", "{{cmd}}")),
        graph("Clients", "short", ("redis_connected_clients", "clients")),
    ]),
)

business = dashboard(
    "terroir-business",
    "Terroir: business",
    ("Today", [
        stat("Registrations", "short", "sum(increase(users_registered_total[24h]))"),
        stat("Sessions", "short", "max(user_sessions_active)"),
        stat("Orders", "short", 'sum(increase(orders_created_total{status="pending"}[24h]))'),
        stat("Readings", "short", 'sum(increase(iot_sensor_readings_total{status="accepted"}[24h]))'),
        stat("Insights", "short", 'sum(increase(ai_insights_generated_total{success="true"}[24h]))'),
        stat("Sign-ins failed", "short", 'sum(increase(user_actions_total{action="login_failed"}[24h]))'),
    ]),
    ("People and orders", [
        graph("Actions", "ops", (rate("user_actions_total", "action"), "{{action}}")),
        graph("Order transitions", "ops", (rate("order_transitions_total", "from, to"), "{{from}} to {{to}}")),
        graph("Revenue and refunds, per hour", "short", ("sum by (currency) (increase(revenue_total[1h])) / 100", "{{currency}}"), ("sum by (currency) (increase(refunds_total[1h])) / 100", "{{currency}} refunded"), description="Correct for currencies with two decimals only. The database has the exact amounts."),
    ]),
    ("Gardens", [
        graph("Readings", "ops", (rate("iot_sensor_readings_total", "status"), "{{status}}")),
        graph("Readings by sensor type", "ops", (rate("iot_sensor_readings_total", "sensor_type", 'status="accepted"'), "{{sensor_type}}")),
        graph("Devices that reported in the last hour", "short", ('count(sum by (device_id) (increase(iot_sensor_readings_total{status!="rejected"}[1h])) > 0) or vector(0)', "devices")),
        graph("Insights", "ops", (rate("ai_insights_generated_total", "insight_type, model_provider, success"), "{{insight_type}} {{model_provider}} {{success}}")),
    ]),
)

AHEAD = "If a wrong clock dated it in the future: how far ahead."
DISK = 'fstype!~"tmpfs|ramfs|overlay|squashfs"'
node = dashboard(
    "terroir-node",
    "Terroir: host",
    ("Host", [
        graph("Processor", "percentunit", ('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', "{{instance}}"), max=1),
        graph("Load", "short", ("node_load1", "1 minute"), ("node_load15", "15 minutes")),
        graph("Memory in use", "percentunit", ("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"), max=1),
        graph("Disk in use", "percentunit", (f"1 - node_filesystem_avail_bytes{{{DISK}}} / node_filesystem_size_bytes{{{DISK}}}", "{{mountpoint}}"), max=1),
        graph("Disk transfers", "Bps", ("sum(rate(node_disk_read_bytes_total[$__rate_interval]))", "read"), ("sum(rate(node_disk_written_bytes_total[$__rate_interval]))", "written")),
        graph("Network", "Bps", ('sum(rate(node_network_receive_bytes_total{device!="lo"}[$__rate_interval]))', "in"), ('sum(rate(node_network_transmit_bytes_total{device!="lo"}[$__rate_interval]))', "out"), description="On a plain host only. Under Compose the exporter sees nothing but its own network: ask the provider for the host's traffic, and the API dashboard for requests."),
    ]),
    ("Backups", [
        graph("Age of the last verified backup", "s", ("min by (store) (abs(time() - terroir_backup_last_success_timestamp_seconds))", "{{store}}"), description=AHEAD),
        graph("Age of the last successful restore test", "s", ("abs(time() - terroir_restore_test_last_success_timestamp_seconds)", "restore test"), description=AHEAD),
        graph("Time since WAL was archived", "s", ("pg_stat_archiver_last_archive_age", "{{instance}}")),
        graph("Certificate expires in", "s", ("probe_ssl_earliest_cert_expiry - time()", "{{instance}}")),
    ]),
)


def main():
    stale = []
    for name, made in (("api", api), ("runtime", runtime), ("stores", stores), ("business", business), ("node", node)):
        path, text = FOLDER / f"{name}.json", json.dumps(made, indent=1) + "\n"
        if sys.argv[1:] != ["--check"]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"not what dashboards.py writes: {', '.join(stale)}; run it")


main()
