#!/usr/bin/env python3
"""Tests of alerts.yml and recording.yml by promtool: each alert fires, with its severity and in exactly the minute in
which it should, and stays silent just below its bounds and where it would mislead; recording rules, and panels that
belong to an alert, have the right values.

usage: alerts_test.py [FOLDER [NAME...]]   FOLDER holds the rules; NAME is an alert or a recording rule; all by default
"""
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
DAY = 1440


@dataclasses.dataclass
class Case:
    """Series from minute 0 on. `fires` is the first minute at which the alert fires; None: it never does."""
    alert: str
    series: dict
    fires: int | None = None
    severity: str = ""
    count: int = 1
    labels: str = ""  # more labels that the alert must have, as a selector
    until: int = 0  # how many minutes to watch, if it stays silent
    step: int = 1  # minutes between samples and between evaluations


def edge(fives, all_of=1000, fours=0, minutes=60, before=0):
    """What clients got per minute: the numbers of 5xx, of 4xx and of all answers; first, some minutes without an
    error."""
    ok = 'edge_requests_total{scope="api",origin="server",status="200",status_class="2xx"}'
    return {
        ok: f"0+{all_of - fives - fours}x{minutes}",
        ok.replace("200", "503").replace("2xx", "5xx"): (f"0x{before - 1} " if before else "") + f"0+{fives}x{minutes}",
        ok.replace("200", "404").replace("2xx", "4xx"): f"0+{fours}x{minutes}",
    }


def aftermath(fives, at, then, samples):
    """Errors amid heavy traffic, and after it a fixed number per thousand: their share of a long window grows once the
    heavy traffic has left it, when that of a short one has long settled."""
    ok = 'edge_requests_total{scope="api",origin="server",status="200",status_class="2xx"}'
    return {ok: f"0+1000x1 1002000+1000x{samples}", ok.replace("200", "503").replace("2xx", "5xx"): f"0x{at - 1} {fives}+{then}x{samples}"}


def server(fives, all_of=1000, route="/api/gardens", minutes=60):
    series = f'http_requests_total{{job="api",method="GET",route="{route}",status="200",status_class="2xx"}}'
    return {series: f"0+{all_of - fives}x{minutes}", series.replace("200", "500").replace("2xx", "5xx"): f"0+{fives}x{minutes}"}


def latency(route, fast, bound, all_of=100, minutes=60, late="10"):
    """Durations: a number of them below the bound, the others between it and `late`."""
    name = f'http_request_duration_seconds_bucket{{job="api",route="{route}",le="%s"}}'
    return {name % bound: f"0+{fast}x{minutes}", name % late: f"0+{all_of}x{minutes}", name % "+Inf": f"0+{all_of}x{minutes}"}


def constant(value, *names, minutes=200):
    return {name: f"{value}x{minutes}" for name in names}


def duty(failed, done="0x60", skipped="0x60"):
    return {f'housekeeping_runs_total{{duty="expiry.sessions",result="{result}"}}': values for result, values in (("failed", failed), ("done", done), ("skipped", skipped))}


def reading(device, values, status="accepted"):
    return {f'iot_sensor_readings_total{{device_id="{device}",sensor_type="rain",status="{status}"}}': values}


def disk(available, kind="ext4", files="0.5", minutes=200):
    place = f'{{fstype="{kind}",mountpoint="/{kind}"}}'
    return {
        f"node_filesystem_avail_bytes{place}": available, f"node_filesystem_size_bytes{place}": f"100x{minutes}",
        f"node_filesystem_files_free{place}": f"{files}x{minutes}", f"node_filesystem_files{place}": f"1x{minutes}",
    }


def archiver(age=None, count=9):
    known = {} if age is None else constant(age, 'pg_stat_archiver_last_archive_age{instance="a"}')
    return known | constant(count, 'pg_stat_archiver_archived_count{instance="a"}')


def writes(inserted, updated="3x30"):
    return {'pg_stat_database_tup_inserted{instance="a",datname="terroir"}': inserted, 'pg_stat_database_tup_updated{instance="a",datname="terroir"}': updated}


JOBS = ("postgres", "redis", "nginx", "node", "edge", "edge-log", "alertmanager")

CASES = [
    # --- requests ---
    Case("HighErrorRate", edge(11), 6, "critical"),
    Case("HighErrorRate", edge(9), until=30),
    Case("HighErrorRate", edge(1, 20), until=30),  # five in five minutes: too few to page anybody
    Case("HighErrorRate", edge(3, 20), 9, "critical"),
    Case("HighErrorRate", {**edge(0, 0), **{k.replace('"api"', '"other"'): v for k, v in edge(500).items()}}, until=30),
    # Where no edge reports, the server's own count is used; the health report's 503 is an answer.
    Case("HighErrorRate", server(11), 6, "critical"),
    Case("HighErrorRate", {**server(0), **server(500, route="/api/health")}, until=30),
    Case("HighErrorRate", {**edge(0), **server(500)}, until=30),
    Case("HighErrorRate", edge(500, minutes=2, before=10), until=14),  # a spike of two minutes
    Case("HighResponseTime", latency("/api/gardens", 94, "2"), 6, "warning"),
    Case("HighResponseTime", latency("/api/gardens", 96, "2"), until=30),
    Case("HighResponseTime", {**latency("/api/gardens", 100, "2"), **latency("/api/gardens/{id}/events", 0, "2"),
                              **latency("/api/users/me/export", 0, "2"), **latency("/api/health", 0, "2")}, until=30),
    Case("ResponseTimeAboveTarget", latency("/api/gardens", 94, "0.2", late="0.3"), 31, "ticket"),
    Case("ResponseTimeAboveTarget", latency("/api/gardens", 96, "0.2", late="0.3"), until=60),
    Case("ClientErrors", edge(0, 100, 51), 17, "warning"),
    Case("ClientErrors", edge(0, 100, 49), until=60),
    Case("ClientErrors", edge(0, 6, 6), until=60),
    Case("ClientErrors", edge(0, 8, 8), 28, "warning"),

    # --- the error budget: fast and slow windows, and enough traffic to tell ---
    Case("ErrorBudgetBurnFast", edge(15, minutes=100), 4, "critical", labels='window="1h"'),
    Case("ErrorBudgetBurnFast", edge(14, minutes=100), until=100, labels='window="1h"'),
    Case("ErrorBudgetBurnFast", edge(7, minutes=100), 21, "critical", labels='window="6h"'),
    Case("ErrorBudgetBurnFast", edge(5, minutes=80), until=700, step=10),
    Case("ErrorBudgetBurnFast", edge(1, 20, minutes=100), 23, "critical", labels='window="1h"'),
    Case("ErrorBudgetBurnFast", {k: v.replace("0+1x", "0x30 1x") for k, v in edge(1, 1).items()}, until=60),  # one error an hour
    Case("ErrorBudgetBurnSlow", edge(4, minutes=100), 73, "warning", labels='window="1d"'),
    Case("ErrorBudgetBurnSlow", edge(1.5, minutes=300), 214, "warning", labels='window="3d"'),
    Case("ErrorBudgetBurnSlow", edge(2, minutes=100), until=900, step=10, labels='window="1d"'),
    Case("ErrorBudgetBurnSlow", edge(0.9, minutes=100), until=900, step=10),
    # Both windows must agree: errors too recent for the long one, and errors that are over for the short one.
    Case("ErrorBudgetBurnFast", edge(20, minutes=90, before=30), until=70, labels='window="1h"'),
    Case("ErrorBudgetBurnFast", aftermath(400, 10, 10, 90), until=80, labels='window="1h"'),
    Case("ErrorBudgetBurnFast", edge(10, minutes=90, before=36), until=380, step=5, labels='window="6h"'),
    Case("ErrorBudgetBurnFast", aftermath(200, 20, 5, 100), until=480, step=5, labels='window="6h"'),
    Case("ErrorBudgetBurnSlow", edge(4, minutes=60, before=20), until=500, step=10, labels='window="1d"'),
    Case("ErrorBudgetBurnSlow", aftermath(200, 24, 2, 200), until=1700, step=10, labels='window="1d"'),
    Case("ErrorBudgetBurnSlow", edge(2, minutes=200, before=100), until=1900, step=10, labels='window="3d"'),
    Case("ErrorBudgetBurnSlow", aftermath(100, 24, 0.8, 200), until=5100, step=30, labels='window="3d"'),

    # --- availability ---
    Case("InstanceDown", {'up{job="api",instance="a"}': "1x4 0x20", 'up{job="redis"}': "1x20"}, 6, "critical", labels='job="api"'),
    Case("InstanceDown", constant(1, 'up{job="api"}'), until=20),
    Case("ServersDown", {'up{job="api",instance="a"}': "1x4 0x20", 'up{job="api",instance="b"}': "0x30", 'up{job="redis"}': "1x30"}, 5, "none"),
    Case("ServersDown", {'up{job="api",instance="a"}': "1x20", 'up{job="api",instance="b"}': "0x20"}, until=20),
    Case("MetricsAbsent", constant(0, 'up{job="api"}'), 5, "critical"),
    Case("MetricsAbsent", constant(1, 'build_info{job="redis"}'), 5, "critical"),
    Case("MetricsAbsent", constant(1, 'build_info{job="api"}'), until=20),
    *(Case("TargetMissing", constant(1, *(f'up{{job="{other}"}}' for other in JOBS if other != job)), 10, "warning", labels=f'job="{job}"') for job in JOBS),
    Case("TargetMissing", constant(0, *(f'up{{job="{job}"}}' for job in JOBS)), until=30),
    Case("EdgeDown", {'probe_success{job="edge"}': "1x4 0x20"}, 6, "critical"),
    Case("EdgeDown", constant(1, 'probe_success{job="edge"}'), until=20),
    Case("DependencyDown", {**constant(0, 'dependency_up{name="redis"}', 'dependency_up{name="database"}'), **constant(0, 'dependency_up{name="disk"}')}, 1, "critical", 2),
    Case("DependencyDown", constant(1, 'dependency_up{name="redis"}'), until=20),
    Case("DependencyDegraded", {**constant(0, 'dependency_up{name="disk"}', 'dependency_up{name="database"}')}, 10, "warning"),
    Case("DependencyDegraded", constant(1, 'dependency_up{name="disk"}'), until=20),
    Case("StoreUnreachable", constant(0, 'pg_up{job="postgres"}', 'redis_up{job="redis"}', 'nginx_up{job="nginx"}'), 1, "critical", 3),
    Case("StoreUnreachable", constant(1, "pg_up", "redis_up", "nginx_up"), until=20),

    # --- stores ---
    Case("DatabaseConnectionsHigh", {'pg_stat_activity_count{instance="a",state="active"}': "41x30", 'pg_stat_activity_count{instance="a",state="idle"}': "40x30",
                                     'pg_settings_max_connections{instance="a"}': "100x30"}, 5, "warning"),
    Case("DatabaseConnectionsHigh", {'pg_stat_activity_count{instance="a",state="active"}': "40x30", 'pg_stat_activity_count{instance="a",state="idle"}': "39x30",
                                     'pg_settings_max_connections{instance="a"}': "100x30"}, until=20),
    Case("RedisMemoryHigh", {'redis_memory_used_bytes{instance="a"}': "91x30", 'redis_memory_max_bytes{instance="a"}': "100x30"}, 5, "warning"),
    Case("RedisMemoryHigh", {'redis_memory_used_bytes{instance="a"}': "89x30", 'redis_memory_max_bytes{instance="a"}': "100x30"}, until=20),
    Case("RedisMemoryHigh", {'redis_memory_used_bytes{instance="a"}': "89x30", 'redis_memory_max_bytes{instance="a"}': "0x30"}, until=20),
    Case("LongTransaction", {'pg_client_transactions_longest_seconds{instance="a",datname="terroir"}': "310x30"}, 5, "warning"),
    Case("LongTransaction", {'pg_client_transactions_longest_seconds{instance="a",datname="terroir"}': "290x30",
                             'pg_client_transactions_longest_seconds{instance="a",datname="postgres"}': "900x30"}, until=20),
    Case("Deadlocks", {'pg_stat_database_deadlocks{datname="terroir"}': "0x5 6x90"}, 6, "ticket"),
    Case("Deadlocks", {'pg_stat_database_deadlocks{datname="terroir"}': "0x60 4x90", 'pg_stat_database_deadlocks{datname="postgres"}': "0x60 40x90"}, until=90),
    Case("TransactionIdsRunningOut", constant("0.27", 'pg_transaction_ids_used_ratio{datname="terroir"}'), 60, "warning"),
    Case("TransactionIdsRunningOut", constant("0.23", 'pg_transaction_ids_used_ratio{datname="terroir"}'), until=120),
    Case("TransactionIdsRunningOut", constant("0.62", 'pg_transaction_ids_used_ratio{datname="terroir"}'), 5, "critical"),
    Case("TransactionIdsRunningOut", constant("0.58", 'pg_transaction_ids_used_ratio{datname="terroir"}'), until=55),
    Case("ReplicaLagging", {'pg_replica_lag_seconds{replica="r",address="a"}': "31x30", 'pg_replica_lag_seconds{replica="r",address="b"}': "0x30"}, 5, "warning", labels='address="a"'),
    Case("ReplicaLagging", constant(31, "database_replica_lag_seconds"), 5, "warning"),
    Case("ReplicaLagging", constant(29, "database_replica_lag_seconds"), until=30),
    Case("ReplicaLagging", constant(29, 'pg_replica_lag_seconds{replica="r",address="a"}'), until=30),
    *(Case("RedisNotPersisting", {**constant(1, "redis_aof_last_write_status", "redis_aof_last_bgrewrite_status", "redis_rdb_last_bgsave_status"), **constant(0, name)}, 5, "critical")
      for name in ("redis_aof_last_write_status", "redis_aof_last_bgrewrite_status", "redis_rdb_last_bgsave_status")),
    Case("RedisNotPersisting", constant(1, "redis_aof_last_write_status", "redis_aof_last_bgrewrite_status", "redis_rdb_last_bgsave_status"), until=20),
    Case("RedisConnectionsRejected", {"redis_rejected_connections_total": "0+1x30"}, 6, "warning"),
    Case("RedisConnectionsRejected", {"redis_rejected_connections_total": "7x30"}, until=20),

    # --- runtime ---
    Case("EventLoopLag", {'event_loop_lag_seconds_bucket{le="0.05"}': "0+985x30", 'event_loop_lag_seconds_bucket{le="0.1"}': "0+1000x30", 'event_loop_lag_seconds_bucket{le="+Inf"}': "0+1000x30"}, 6, "warning"),
    Case("EventLoopLag", {'event_loop_lag_seconds_bucket{le="0.05"}': "0+995x30", 'event_loop_lag_seconds_bucket{le="0.1"}': "0+1000x30", 'event_loop_lag_seconds_bucket{le="+Inf"}': "0+1000x30"}, until=20),
    Case("MemoryHigh", {**constant(810, 'process_resident_memory_bytes{job="api"}'), **constant(1000, 'process_memory_limit_bytes{job="api"}')}, 10, "warning"),
    Case("MemoryHigh", {**constant(790, 'process_resident_memory_bytes{job="api"}'), **constant(1000, 'process_memory_limit_bytes{job="api"}')}, until=20),
    Case("MemoryHigh", {**constant(990, 'process_resident_memory_bytes{job="other"}'), **constant(1000, 'process_memory_limit_bytes{job="other"}')}, until=20),
    Case("FileDescriptorsHigh", {'process_open_fds{job="api"}': "81x30", 'process_max_fds{job="api"}': "100x30"}, 5, "warning"),
    Case("FileDescriptorsHigh", {'process_open_fds{job="api"}': "79x30", 'process_max_fds{job="api"}': "100x30"}, until=20),
    Case("Restarting", {'process_start_time_seconds{job="api"}': "1x1 2x1 3x1 4x20"}, 6, "warning"),
    Case("Restarting", {'process_start_time_seconds{job="api"}': "1x5 2x5 3x20", 'process_start_time_seconds{job="redis"}': "1 2 3 4 5 6x20"}, until=20),
    Case("HousekeepingFailing", duty("0+1x60", done="0+1x60"), 26, "warning", labels='duty="expiry.sessions"'),
    Case("HousekeepingFailing", duty("0x14 1x14 2x14 3x14"), 40, "warning"),
    Case("HousekeepingFailing", duty("5x60", done="0+1x60"), until=40),
    Case("HousekeepingFailing", duty("0 1x60", skipped="0+1x60"), until=60, step=5),  # a single failure
    # An hourly duty: failed, done in between, and failed hours ago.
    Case("HousekeepingFailing", duty("0x11 1x11 2x11 3x11", done="0 1x60"), 145, "warning", step=5),
    Case("HousekeepingFailing", duty("0x11 1x11 2x11 3x11", done="0x17 1x60"), until=220, step=5),
    Case("HousekeepingFailing", duty("0x11 1x35 2x20"), until=300, step=5),

    # --- the host ---
    Case("DiskNearlyFull", disk("9x200"), 1, "critical"),
    Case("DiskNearlyFull", {**disk("11x200"), **disk("1x200", "tmpfs")}, until=30),
    Case("DiskFilling", disk("39-0.17x200"), 11, "critical"),
    Case("DiskFilling", disk("30-0.1x200"), until=40),
    # A copy of the database is made, checked, and removed; then one keeps growing after hours of rest.
    Case("DiskFilling", disk("35x360 35-1.5x14 12.5x45 35x120", minutes=600), until=540),
    Case("DiskFilling", disk("35x360 35-0.1x300", minutes=700), 593, "critical"),
    Case("DiskFilling", {**disk("80-0.3x30"), **disk("30-0.2x200", "tmpfs")}, until=30),
    Case("InodesNearlyGone", disk("50x200", files="0.09"), 1, "critical"),
    Case("InodesNearlyGone", {**disk("50x200", files="0.11"), **disk("50x200", "tmpfs", files="0.01")}, until=20),
    Case("ProcessorSaturated", {'node_cpu_seconds_total{instance="a",mode="idle",cpu="0"}': "0+5x60", 'node_cpu_seconds_total{instance="a",mode="user",cpu="0"}': "0+55x60"}, 16, "warning"),
    Case("ProcessorSaturated", {'node_cpu_seconds_total{instance="a",mode="idle",cpu="0"}': "0+7x60", 'node_cpu_seconds_total{instance="a",mode="user",cpu="0"}': "0+53x60"}, until=40),
    Case("OutOfMemoryKill", {"node_vmstat_oom_kill": "0x5 1x60"}, 6, "warning"),
    Case("OutOfMemoryKill", {"node_vmstat_oom_kill": "3x60"}, until=40),
    Case("HostMemoryLow", {"node_memory_MemAvailable_bytes": "9x30", "node_memory_MemTotal_bytes": "100x30"}, 10, "warning"),
    Case("HostMemoryLow", {"node_memory_MemAvailable_bytes": "11x30", "node_memory_MemTotal_bytes": "100x30"}, until=20),
    Case("ClockSkew", {**constant("-0.06", "node_timex_offset_seconds"), **constant(1, "node_timex_sync_status"), **constant(0.1, "node_timex_maxerror_seconds")}, 10, "warning"),
    Case("ClockSkew", {**constant(0, "node_timex_offset_seconds"), **constant(0, "node_timex_sync_status"), **constant(16, "node_timex_maxerror_seconds")}, 10, "warning"),
    Case("ClockSkew", {**constant("0.04", "node_timex_offset_seconds"), **constant(0, "node_timex_sync_status"), **constant(15, "node_timex_maxerror_seconds")}, until=20),
    Case("ClockSkew", {**constant(0, "node_timex_offset_seconds"), **constant(1, "node_timex_sync_status"), **constant(16, "node_timex_maxerror_seconds")}, until=20),
    Case("ClockSkew", constant(-3600, "clock_correction_seconds"), 10, "warning"),
    Case("ClockSkew", constant(0, "clock_correction_seconds"), until=20),
    Case("CertificateExpiring", constant(13 * 86400, "probe_ssl_earliest_cert_expiry"), 60, "warning"),
    Case("CertificateExpiring", constant(2.9 * 86400, "probe_ssl_earliest_cert_expiry"), 15, "critical"),
    Case("CertificateExpiring", constant(3.2 * 86400, "probe_ssl_earliest_cert_expiry"), until=40),
    Case("CertificateExpiring", constant(14.5 * 86400, "probe_ssl_earliest_cert_expiry"), until=120),
    Case("BackupTooOld", {'terroir_backup_last_success_timestamp_seconds{store="postgres",kind="full"}': "0x180"}, 1580, "critical", labels='store="postgres"', step=10),
    Case("BackupTooOld", {'terroir_backup_last_success_timestamp_seconds{store="postgres",kind="full"}': "0x180",
                          'terroir_backup_last_success_timestamp_seconds{store="postgres",kind="diff"}': "43200x180"}, until=1620, step=10),
    # A clock that was ahead leaves a time in the future, and a negative age.
    Case("BackupTooOld", {'terroir_backup_last_success_timestamp_seconds{store="postgres",kind="full"}': "200000x60"}, 10, "critical", labels='store="postgres"'),
    # Another kind of backup has been made every day since.
    Case("BackupTooOld", {'terroir_backup_last_success_timestamp_seconds{store="postgres",kind="full"}': "1728000x480",
                          'terroir_backup_last_success_timestamp_seconds{store="postgres",kind="diff"}': "0x143 86400x143 172800x143"}, until=4300, step=10),
    Case("BackupTooOld", constant(1, "up", minutes=180), 1560, "critical", labels='store="all"', step=10),
    Case("BackupFailed", constant(0, "terroir_backup_last_run_success"), 5, "warning"),
    Case("BackupFailed", constant(1, "terroir_backup_last_run_success"), until=30),
    Case("RestoreTestFailed", constant(0, "terroir_restore_test_last_run_success"), 5, "critical"),
    Case("RestoreTestFailed", constant(1, "terroir_restore_test_last_run_success"), until=30),
    Case("RestoreTestTooOld", {"terroir_restore_test_last_success_timestamp_seconds": "0x110"}, 11760, "warning", step=120),
    Case("RestoreTestTooOld", {"terroir_restore_test_last_success_timestamp_seconds": "0x90"}, until=10800, step=120),
    Case("RestoreTestTooOld", {"terroir_restore_test_last_success_timestamp_seconds": "0x90 600000x40"}, until=15000, step=120),
    Case("RestoreTestTooOld", {"terroir_restore_test_last_success_timestamp_seconds": "2000000x80"}, 60, "warning"),
    Case("RestoreTestTooOld", constant(1, "up", minutes=110), 11520, "warning", labels='store="all"', step=120),
    Case("WalArchiveFailing", {'pg_stat_archiver_failed_count{instance="a"}': "0x5 0+1x30"}, 12, "critical"),
    Case("WalArchiveFailing", {'pg_stat_archiver_failed_count{instance="a"}': "7x5 8x60"}, until=40),  # tried again, and accepted
    Case("WalArchiveLagging", {**archiver(age=310), **writes("0+10x30")}, 3, "critical"),
    Case("WalArchiveLagging", {**archiver(count=0), **writes("0+10x30")}, 3, "critical"),
    Case("WalArchiveLagging", {**archiver(age=310), **writes("5x30", "0+1x30")}, 3, "critical"),
    Case("WalArchiveLagging", {**archiver(age=290), **writes("0+10x30")}, until=25),
    Case("WalArchiveLagging", {**archiver(age=9000), **writes("5x30")}, until=25),
    Case("WalArchiveLagging", {**archiver(age=9000), **{k.replace('"a"', '"b"'): v for k, v in writes("0+10x30").items()}}, until=25),
    Case("TextfileUnreadable", constant(1, "node_textfile_scrape_error"), 15, "warning"),
    Case("TextfileUnreadable", constant(0, "node_textfile_scrape_error"), until=30),

    # --- business ---
    Case("SensorSilent", {**reading("d1", "0+1x60 60x160"), **reading("d2", "0+1x220")}, 125, "ticket", labels='device_id="d1"'),
    Case("SensorSilent", {**reading("d2", "0+1x220"), **reading("_other", "0+1x60 60x160"), **reading("d3", "0+1x220", "duplicate"), **reading("d4", "0+1x60 60x160", "rejected")}, until=200),
    Case("SensorSilent", reading("d1", "0+1x6 6x180"), 130, "ticket", step=10),
    Case("SensorSilent", reading("d1", "0x30 0.9x190"), 96, "ticket"),  # the lowest count that still tells
    Case("ReadingsRejected", {**reading("d1", "0+11x60", "rejected"), **reading("d1", "0+89x60")}, 16, "warning"),
    Case("ReadingsRejected", {**reading("d1", "0+9x60", "rejected"), **reading("d1", "0+91x60")}, until=50),
    Case("LoginFailures", {'user_actions_total{action="login_failed"}': "0+7x40", 'user_actions_total{action="login"}': "0+6x40", 'user_actions_total{action="register"}': "0+60x40"}, 10, "warning"),
    Case("LoginFailures", {'user_actions_total{action="login_failed"}': "0+60x40", 'user_actions_total{action="login"}': "0+62x40"}, until=30),
    Case("LoginFailures", {'user_actions_total{action="login_failed"}': "0+5.8x40", 'user_actions_total{action="login"}': "0x40"}, until=30),
    Case("InsightProviderFailing", {'ai_insights_generated_total{model_provider="openai",success="false"}': "0+51x60", 'ai_insights_generated_total{model_provider="openai",success="true"}': "0+49x60",
                                    'ai_insights_generated_total{model_provider="rules",success="true"}': "0+900x60"}, 16, "warning", labels='model_provider="openai"'),
    Case("InsightProviderFailing", {'ai_insights_generated_total{model_provider="openai",success="false"}': "0+49x60", 'ai_insights_generated_total{model_provider="openai",success="true"}': "0+51x60"}, until=50),

    *(Case("RollupRefused", {f'rollup_refused_total{{part="{part}"}}': "0x5 1x90"}, 6, "ticket", labels=f'part="{part}"') for part in ("bucket", "additions")),
    Case("RollupRefused", {'rollup_refused_total{part="bucket"}': "3x90"}, until=60),
    Case("NotificationsStalled", {'notification_wait_seconds{instance="a"}': "0x5 400x40", 'notification_wait_seconds{instance="b"}': "0x60"}, 11, "warning"),
    Case("NotificationsStalled", constant(299, "notification_wait_seconds"), until=60),
    Case("NotificationsFailing", {'notifications_total{kind="email",result="failed"}': "0+1x90", 'notifications_total{kind="email",result="delivered"}': "7x90"}, 21, "warning", labels='kind="email"'),
    Case("NotificationsFailing", {'notifications_total{kind="email",result="failed"}': "0+1x90", 'notifications_total{kind="email",result="delivered"}': "0+1x90"}, until=80),
    Case("NotificationsFailing", {'notifications_total{kind="email",result="failed"}': "5x90", 'notifications_total{kind="email",result="delivered"}': "7x90"}, until=80),

    # --- watching ---
    Case("AlertsNotDelivered", {'alertmanager_notifications_failed_total{integration="slack"}': "0+1x40", 'alertmanager_notifications_failed_total{integration="webhook"}': "5x40"}, 8, "critical", labels='integration="slack"'),
    # One group of alerts fails every five minutes; another failed once, and then arrived.
    Case("AlertsNotDelivered", {'alertmanager_notifications_failed_total{integration="slack"}': "0x2 1x4 2x4 3x4 4x20"}, 10, "critical", labels='integration="slack"'),
    Case("AlertsNotDelivered", {'alertmanager_notifications_failed_total{integration="slack"}': "0x2 1x40"}, until=30),
    Case("AlertsNotDelivered", {'alertmanager_notifications_failed_total{integration="slack"}': "5x40"}, until=30),
    Case("Watchdog", {}, 0, "none"),
    Case("ReloadFailed", constant(0, 'prometheus_config_last_reload_successful{job="prometheus"}', 'alertmanager_config_last_reload_successful{job="alertmanager"}'), 10, "warning", 2),
    Case("ReloadFailed", constant(1, "prometheus_config_last_reload_successful", "alertmanager_config_last_reload_successful"), until=30),
    Case("RuleFailures", {'prometheus_rule_evaluation_failures_total{rule_group="slo"}': "0+1x40"}, 6, "warning"),
    Case("RuleFailures", {'prometheus_rule_evaluation_failures_total{rule_group="slo"}': "3x40"}, until=30),
    Case("SeriesOverflow", {'metrics_series_overflow_total{family="x"}': "0+1x90"}, 16, "ticket", labels='family="x"'),
    Case("SeriesOverflow", {'metrics_series_overflow_total{family="x"}': "4x90"}, until=60),
]


@dataclasses.dataclass
class Record:
    """The value of a recording rule or an expression at a minute, rounded to thousandths: values by their labels."""
    alert: str  # its name, or what it is: tests of one name run together
    series: dict
    values: dict
    at: int
    step: int = 1
    fires = 0


def window(name, minutes):
    """Failures within a window of ten known samples: as the edge counts them, if it does, else the server."""
    step = max(1, minutes // 10)
    noise = {k.replace('"api"', '"other"'): v for k, v in edge(50).items()}
    servers = {**server(6, 100), **server(90, 100, "/api/health"), **server(90, 100, "/api/metrics"), **server(90, 100, "/livez")}
    at, total = minutes * 2, minutes / step
    for series, errors, ratio in (({**edge(4, 100, fours=20), **noise, **servers}, 4, 0.04), (servers, 6, 0.06)):
        yield Record(f"api:errors:increase{name}", series, {"{}": errors * total}, at, step)
        yield Record(f"api:error_ratio:rate{name}", series, {"{}": ratio}, at, step)
        if name == "5m":
            yield Record("api:answers:increase5m", series, {"{}": 100 * total}, at, step)


def durations(route, scale=1, since=0):
    """Per minute a hundred durations: half take up to 0.1 s, 95 one second, 99 two, each times a factor. Before a given
    minute, all take longer."""
    name = f'http_request_duration_seconds_bucket{{job="api",route="{route}",le="%s"}}'
    bounds = {**{f"{bound * scale:g}": count for bound, count in ((0.1, 50), (1, 95), (2, 99), (5, 100))}, "+Inf": 100}
    return {name % bound: (f"0x{since - 1} " if since and count < 100 else "") + f"0+{count}x60" for bound, count in bounds.items()}


STREAMS = {name: values for route in ("/api/gardens/{id}/events", "/api/users/me/export", "/api/users/me/import", "/api/devices/{id}/history", "/api/health", "/livez")
           for name, values in durations(route, 10).items()}

RECORDS = [
    *(record for name, minutes in (("5m", 5), ("30m", 30), ("1h", 60), ("2h", 120), ("6h", 360), ("1d", DAY), ("3d", 3 * DAY)) for record in window(name, minutes)),
    Record("api:requests:rate5m", {**server(6, 60), **server(12, 120, "/api/health"), **server(12, 120, "/api/metrics"), **server(12, 120, "/livez")},
           {'{method="GET",route="/api/gardens",status_class="2xx"}': 0.9, '{method="GET",route="/api/gardens",status_class="5xx"}': 0.1}, 30),
    # Errors older than a month are over, and without any error counted there is no value.
    Record("api:error_ratio:rate30d", {"api:errors:increase5m": "60x39 0 24x9 0x49", "api:answers:increase5m": "100x39 0 100x59"}, {"{}": 0.04}, 50 * DAY, DAY // 2),
    Record("api:error_ratio:rate30d", constant(2, "api:answers:increase5m"), {"{}": 0}, 50 * DAY, DAY // 2),
    *(Record(f"api:latency:{name}_5m", {**durations("/api/gardens"), **STREAMS}, {"{}": value}, 30) for name, value in (("p50", 0.1), ("p95", 1), ("p99", 2))),
    Record("api:latency_route:p95_5m", {**durations("/api/gardens"), **durations("/api/orders", 2), **STREAMS}, {'{route="/api/gardens"}': 1, '{route="/api/orders"}': 2}, 30),
    Record("api:latency_route:p95_5m", durations("/api/gardens", since=20), {'{route="/api/gardens"}': 1}, 30),
    Record("api:latency_bucket:rate5m", {**durations("/api/gardens"), **STREAMS},
           {f'{{le="{bound}"}}': round(count / 60, 3) for bound, count in (("0.1", 50), ("1", 95), ("2", 99), ("5", 100), ("+Inf", 100))}, 30),
]
RECORDED = sorted({record.alert for record in RECORDS})
DASHBOARDS = HERE.parent / "grafana/dashboards"


def shows(board, title, series, values, at, step=1):
    """The value that a panel shows at a minute."""
    panels = json.loads((DASHBOARDS / f"{board}.json").read_text())["panels"]
    return Record(next(panel["targets"][0]["expr"] for panel in panels if panel["title"] == title), series, values, at, step)


PANELS = [
    # The budget falls with the errors that clients got from the edge while the server reported none, when its alerts
    # fire too.
    shows("api", "Error budget left, 30 days", {**edge(0.4), **server(0)}, {"{}": 0.6}, 50),
    shows("api", "Error budget left, 30 days", {k: v for k, v in server(0).items() if "5xx" not in k}, {"{}": 1}, 50),
    # The watchdog, which always fires, does not count; nothing is scraped here, so that MetricsAbsent fires after a while.
    shows("api", "Alerts firing", {}, {"{}": 0}, 1),
    shows("api", "Alerts firing", {}, {"{}": 1}, 7),
    # The newest plausible backup, even if another is dated in the future.
    shows("node", "Age of the last verified backup", {'terroir_backup_last_success_timestamp_seconds{store="postgres",kind="diff"}': "600x60",
                                                      'terroir_backup_last_success_timestamp_seconds{store="postgres",kind="full"}': "900000x60"}, {'{store="postgres"}': 2400}, 50),
    shows("node", "Age of the last successful restore test", constant(3600, "terroir_restore_test_last_success_timestamp_seconds"), {"{}": 600}, 50),
]


def expectations(case):
    """What to expect at which minutes: no alert firing before `fires`, and all of them, with their severity, then."""
    if isinstance(case, Record):
        samples = [{"labels": labels, "value": value} for labels, value in case.values.items()]
        return [{"expr": f"round({case.alert}, 0.001)", "eval_time": f"{case.at}m", "exp_samples": samples}]
    labels = f",{case.labels}" if case.labels else ""
    firing = f'ALERTS{{alertname="{case.alert}",alertstate="firing"{labels}}}'
    if case.fires is None:
        return [{"expr": f"count({firing})", "eval_time": f"{minute}m", "exp_samples": []} for minute in range(0, case.until + 1, max(1, case.until // 20))]
    seen = [{"expr": f"count by (severity) ({firing})", "eval_time": f"{case.fires}m",
             "exp_samples": [{"labels": f'{{severity="{case.severity}"}}', "value": case.count}]}]
    if case.fires:
        seen.append({"expr": f"count({firing})", "eval_time": f"{case.fires - case.step}m", "exp_samples": []})
    return seen


def document(folder, cases, step):
    files = [(pathlib.Path(folder) / name).resolve() for name in ("recording.yml", "alerts.yml")]
    rules = [str(file) for file in files]
    groups = [name for file in files for name in re.findall(r"^ *- name: (\w+)$", file.read_text(), re.M)]  # recording rules first
    tests = [{"name": f"{case.alert} {'fires' if case.fires is not None else 'stays silent'} ({number})", "interval": f"{step}m",
              "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
              "promql_expr_test": expectations(case)} for number, case in enumerate(cases)]
    return json.dumps({"rule_files": rules, "evaluation_interval": f"{step}m",
                       "group_eval_order": groups, "tests": tests})


def run(folder=HERE, names=()):
    """promtool's complaints; empty if there are none."""
    chosen = [case for case in CASES + RECORDS + PANELS if not names or case.alert in names]
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for step in sorted({case.step for case in chosen}):
            files.append(pathlib.Path(scratch) / f"every-{step}m.yml")
            files[-1].write_text(document(folder, [case for case in chosen if case.step == step], step))
        done = subprocess.run(["promtool", "test", "rules", *files], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    written = set(re.findall(r"- alert: (\w+)", (folder / "alerts.yml").read_text()))
    firing, silent = ({case.alert for case in CASES if (case.fires is None) == quiet} for quiet in (False, True))
    recorded = set(re.findall(r"- record: (\S+)", (folder / "recording.yml").read_text()))
    # The watchdog is never silent; buckets by route are only an input of the quantile.
    untested = (written - firing) | (written - silent - {"Watchdog"}) | (recorded - set(RECORDED) - {"api:latency_route_bucket:rate5m"})
    if untested:
        sys.exit(f"not tested: {', '.join(sorted(untested))}")
    sys.exit(run(folder, sys.argv[2:]) or 0)


if __name__ == "__main__":
    main()
