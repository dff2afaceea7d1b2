"""Each alert, fired by a fault in the real stack and received by a webhook.

Windows and `for:` are shortened (stack.py), thresholds unchanged except for the number of failed sign-ins. Alerts that
fire in another test, or only in promtool's, are listed in ELSEWHERE. Whether an alert has fired is read from Prometheus
at the end.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from Tests.control_group import control_group
from Tests.Stack.monitored import Monitored
from Tests.Stack.stack import ROOT, until

# Fired elsewhere, or not at all; see above.
STORES = "Tests/Stack/test_alerts_of_stores.py"
ELSEWHERE = {
    "SeriesOverflow": "Tests/Stack/test_use.py",
    "LongTransaction": STORES, "Deadlocks": STORES, "ReplicaLagging": STORES, "RedisNotPersisting": STORES,
    "RedisConnectionsRejected": STORES, "HousekeepingFailing": STORES, "RollupRefused": STORES, "DatabaseConnectionsHigh": STORES, "RedisMemoryHigh": STORES,
    # These would harm the host, or need half of all transaction ids.
    **dict.fromkeys(("HostMemoryLow", "ClockSkew", "TransactionIdsRunningOut"), "monitoring/prometheus/alerts_test.py"),
}
# These depend on what else the host does.
OF_THE_HOST = "Watchdog|DiskFilling|DiskNearlyFull|InodesNearlyGone|HostMemoryLow|ProcessorSaturated|OutOfMemoryKill|ClockSkew"


class Alerts(Monitored):
    settings = {
        "HEALTH_EXTERNAL_URLS": "http://127.0.0.1:{outside}/", "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": "http://127.0.0.1:9", "INSIGHTS_TIMEOUT_SECONDS": "1",  # no server listens on the discard port
        "NOTIFY_ALLOWED_NETWORKS": "127.0.0.1/32",
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_outside()

    @classmethod
    def start_outside(cls):
        port = cls.stack.port["outside"]
        cls.stack.start("outside", ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", cls.stack.folder / "textfile", port])

    # --- silence ---

    def test_a_nothing_fires_while_all_is_well(self):
        quiet = f'ALERTS{{alertstate="firing",alertname!~"{OF_THE_HOST}"}}'
        end = time.monotonic() + 90

        def calm(seconds=8):
            calm_until = time.monotonic() + seconds
            while time.monotonic() < calm_until:
                if firing := self.stack.query(quiet):
                    return firing
                time.sleep(0.5)
            return []

        # A busy host answers late at first, and an alert rightly fires.
        while firing := calm():
            self.assertLess(time.monotonic(), end, firing)

    # --- requests and the error budget ---

    def test_requests_failing_while_postgres_is_away(self):
        stop = self.asking()
        os.kill(self.stack.store_pid("postgres"), signal.SIGKILL)
        self.addCleanup(self.stack.restart_store, "postgres")
        # The alert of the cause inhibits these.
        self.firing("HighErrorRate")
        for name, window in (("Fast", "1h"), ("Fast", "6h"), ("Slow", "1d"), ("Slow", "3d")):
            self.firing(f"ErrorBudgetBurn{name}", window=window)
        self.received("DependencyDown", name="database")
        self.firing("StoreUnreachable", job="postgres")
        self.stack.restart_store("postgres")
        until("the server to be ready", lambda: self.stack.curl(self.stack.api + "/readyz").status == 200, 5)
        self.resolved("DependencyDown", name="database")
        stop()
        until("the errors to be over", lambda: not self.stack.query('ALERTS{alertname="HighErrorRate",alertstate="firing"}'), 60)

    def lock_gardens(self, seconds):
        self.sql(f"BEGIN; LOCK TABLE gardens IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({seconds}); COMMIT")

    def test_requests_slow_behind_a_lock(self):
        stop = self.asking(pause=0.2)
        # First a little late, for the target alone: the worse alert would inhibit it.
        self.received_while("ResponseTimeAboveTarget", lambda: self.lock_gardens(0.6))
        self.received_while("HighResponseTime", lambda: self.lock_gardens(3))
        stop()

    def test_requests_refused(self):
        missing = [f"{self.stack.edge}/api/nothing[1-40]", *self.user]
        self.received_while("ClientErrors", lambda: subprocess.run(["curl", "-sk", "-o", "/dev/null", *missing], check=True))

    # --- availability ---

    def test_availability_another_service_away(self):
        self.stack.stop("outside")
        self.received("DependencyDegraded", name="external")
        until("a degraded report", lambda: self.stack.curl(self.stack.api + "/health").json()["status"] == "degraded")
        self.start_outside()
        self.resolved("DependencyDegraded", name="external")

    def test_availability_redis_stopped(self):
        pid = self.stack.store_pid("redis")
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        self.received("DependencyDown", name="redis")
        self.assertEqual(self.stack.curl(self.stack.api + "/readyz").status, 200)
        self.firing("StoreUnreachable", job="redis")
        os.kill(pid, signal.SIGCONT)
        self.resolved("DependencyDown", name="redis")

    def test_availability_server_and_edge_gone(self):
        self.stack.stop("nginx")
        self.received("EdgeDown")
        self.stack.stop("api")
        self.received("InstanceDown", job="api")
        self.firing("MetricsAbsent")
        self.firing("ServersDown")
        self.stack.start_server()
        self.stack.start_nginx(rate="1000r/s", burst="1000")
        self.resolved("InstanceDown", job="api")

    def test_availability_nginx_before_the_wrong_server(self):
        for port in ("syslog", "outside"):  # no server listens on the first; on the second something answers 200 that is not the API
            self.stack.stop("nginx")
            self.stack.start_nginx(rate="1000r/s", burst="1000", server=self.stack.port[port])
            self.firing("EdgeDown")
            if port == "syslog":
                stop = self.asking()
                self.received("HighErrorRate")
                stop()
        self.stack.stop("nginx")
        self.stack.start_nginx(rate="1000r/s", burst="1000")
        until("the edge to be up", lambda: self.stack.query('probe_success{job="edge"} == 1'))

    def test_availability_the_first_failures_of_a_process_are_seen(self):
        """Postgres is away for a moment before the server has ever failed."""
        self.stack.stop("api")
        self.stack.start_server()
        until("the new process to be scraped", lambda: self.stack.query('time() - process_start_time_seconds{job="api"} > 3'))
        os.kill(self.stack.store_pid("postgres"), signal.SIGKILL)
        try:
            # Requests something that is in no cache.
            until("a request to fail", lambda: self.stack.curl(self.stack.api + "/api/users/me", *self.user).status >= 500, 15)
        finally:
            self.stack.restart_store("postgres")
        increase = 'sum(increase(http_requests_total{job="api",route="/api/users/me",status_class="5xx"}[20s])) > 0'
        until("the failures to be seen as a rise", lambda: self.stack.query(increase), 15)

    def test_availability_the_server_killed_again_and_again(self):
        def kill():
            self.stack.stop("api", signal.SIGKILL)
            self.stack.start_server()

        self.received_while("Restarting", kill, pause=1.5)  # so that each start is scraped

    # --- runtime ---

    def test_runtime_descriptors_used_up(self):
        pid = self.stack.processes["api"].pid
        held = [socket.create_connection(("127.0.0.1", self.stack.port["api"])) for _ in range(100)]
        opened = len(os.listdir(f"/proc/{pid}/fd"))
        subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={int(opened * 1.1)}:"], check=True)
        try:
            self.received("FileDescriptorsHigh", job="api")
        finally:
            subprocess.run(["prlimit", f"--pid={pid}", "--nofile=16384:"], check=True)
            for each in held:
                each.close()

    def test_runtime_loops_late(self):
        pid = self.stack.processes["api"].pid
        over = threading.Event()

        def stutter():
            while not over.wait(0.1):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.2)
                os.kill(pid, signal.SIGCONT)

        thread = threading.Thread(target=stutter)
        thread.start()
        try:
            self.received("EventLoopLag")
        finally:
            over.set()
            thread.join()

    def test_runtime_memory_almost_used(self):
        """The server in a control group with little more than its memory at rest."""
        # After other tests it uses more memory than the group allows.
        self.stack.stop("api")
        self.stack.start_server()
        held = int(self.stack.metric("process_resident_memory_bytes"))
        group = control_group(int(held * 1.15))
        if not group:
            self.skipTest("cannot make a control group")
        self.stack.stop("api")
        self.stack.start_server(before=group.enter)
        try:
            self.received("MemoryHigh")
        finally:
            self.stack.stop("api")
            group.remove()
            self.stack.start_server()

    # --- host ---

    def test_host_processors_busy(self):
        # Processes of the lowest priority: they use only idle time.
        busy = [subprocess.Popen(["nice", "-n", "19", "sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count())]
        try:
            self.received("ProcessorSaturated")
        finally:
            for each in busy:
                each.kill()
                each.wait()

    def test_host_a_process_ended_for_want_of_memory(self):
        group = control_group(32 << 20)
        if not group:
            self.skipTest("cannot make a control group")
        self.addCleanup(group.remove)

        def want():
            done = subprocess.run([sys.executable, "-c", "bytearray(1 << 30)"], preexec_fn=group.enter, check=False)
            self.assertEqual(done.returncode, -signal.SIGKILL)

        self.received_while("OutOfMemoryKill", want, pause=2)

    def mounted(self, name):
        """A small file system of its own: 256 MB, a thousand files."""
        image, place = self.stack.folder / f"{name}.img", self.stack.folder / name
        place.mkdir()
        with open(image, "wb") as file:
            file.truncate(256 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-N", "1000", image], check=True)
        if subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, check=False).returncode:
            self.skipTest("only root, with loop devices, may mount a file system to fill")
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        return place

    def test_host_disk_filling(self):
        place = self.mounted("disk")
        full = place / "most"
        full.write_bytes(b"x" * (150 << 20))

        def grow():
            with open(full, "ab") as file:
                file.write(b"x" * (1 << 20))

        self.received_while("DiskFilling", grow, pause=1, seconds=60, mountpoint=str(place))

    def test_host_disk_full(self):
        place = self.mounted("full")
        (place / "all").write_bytes(b"x" * (230 << 20))
        self.received("DiskNearlyFull", mountpoint=str(place))

    def test_host_inodes_gone(self):
        place = self.mounted("files")
        for number in range(950):
            (place / str(number)).touch()
        self.received("InodesNearlyGone", mountpoint=str(place))

    def test_host_certificate_about_to_end(self):
        folder = self.stack.folder / "nginx/certificates"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "5",
                        "-subj", "/CN=localhost", "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"], check=True, capture_output=True)
        self.received("CertificateExpiring")

    def test_host_backup_old(self):
        self.stack.report_backup(age_seconds=9 * 86400)
        self.received("BackupTooOld", store="postgres")
        self.received("RestoreTestTooOld")
        self.stack.report_backup()
        self.resolved("BackupTooOld")

    def test_host_a_report_that_cannot_be_read(self):
        report = self.stack.folder / "textfile/broken.prom"
        report.write_text("this is no metric\n")
        self.received("TextfileUnreadable")
        report.unlink()
        self.resolved("TextfileUnreadable")

    def test_host_backup_failed(self):
        self.stack.report_backup(run=0, restore_test=0)
        self.received("BackupFailed")
        self.received("RestoreTestFailed")
        self.stack.report_backup()
        self.resolved("RestoreTestFailed")

    def archive_by(self, command):
        self.sql(f"ALTER SYSTEM SET archive_command = '{command}'")
        self.sql("SELECT pg_reload_conf(), pg_stat_reset_shared('archiver')")

    def write_and_switch(self):
        self.send(self.archived, 1)
        self.sql("SELECT pg_switch_wal()")

    def test_stores_wal_archive(self):
        self.archived = self.device("archived")
        self.addCleanup(self.archive_by, "true")
        self.archive_by("false")
        self.received_while("WalArchiveFailing", self.write_and_switch, pause=1)
        self.archive_by("sleep 20")
        self.received_while("WalArchiveLagging", self.write_and_switch, pause=1)

    # --- business ---

    def test_business_a_silent_sensor_and_whose_it_is(self):
        silent, steady = self.device("silent"), self.device("steady")
        self.send(silent, 12.5, sensor="battery")
        for value in range(4):
            for device in (silent, steady):
                self.assertEqual(self.send(device, value).status, 200)
            time.sleep(1.1)
        end = time.monotonic() + 60
        while not self.stack.webhook.alerts("SensorSilent", device_id=silent["id"]):
            self.assertLess(time.monotonic(), end, "no SensorSilent")
            self.send(steady, 1)
            time.sleep(1.1)
        self.assertEqual(self.stack.webhook.alerts("SensorSilent", device_id=steady["id"]), [])
        query = re.search(r'^### SensorSilent$.*?sql -c "(.*?)"', (ROOT / "docs/runbook.md").read_text(), re.M | re.S)[1]
        email, garden, device, _, battery = self.sql(re.sub(r"\bID\b", silent["id"], query)).strip().split("|")
        self.assertEqual((email, garden, device, battery), (self.login["email"], "Monitored", "silent", "12.5"))

    def test_business_readings_rejected(self):
        device = self.device("broken")
        self.received_while("ReadingsRejected", lambda: self.send(device, 1, *[9999] * 20), pause=0.5)

    def test_business_a_provider_that_refuses(self):
        self.send(self.device("dry"), 12, 13, sensor="soil_moisture")
        path = f"{self.stack.api}/api/gardens/{self.garden}/insights"

        def ask():
            made = self.stack.post(path, {"type": "watering", "provider": "openai"}, *self.user)
            self.assertEqual((made.status, made.json()["provider"]), (201, "rules"))

        self.received_while("InsightProviderFailing", ask, pause=0.5, model_provider="openai")

    def channel(self):
        """The address of a channel to which no client listens."""
        wanted = {"kind": "webhook", "target": "https://127.0.0.1:9/", "events": ["order"]}
        return f"{self.stack.api}/api/channels/{self.stack.post(self.stack.api + '/api/channels', wanted, *self.user).json()['id']}"

    def test_business_news_that_nobody_takes(self):
        for channel in [self.channel() for _ in range(8)]:
            self.stack.post(f"{channel}/test", {}, *self.user)
        self.received("NotificationsFailing", kind="webhook")

    def test_business_news_that_waits(self):
        channel = self.channel()
        number = channel.rpartition("/")[2]
        self.sql(f"UPDATE channels SET next_attempt_at = now() + interval '1 hour' WHERE id = '{number}'")
        # Not a test message, which would end the pause.
        self.sql(f"""INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at)
                     VALUES (gen_random_uuid(), '{number}', 'order', 'order.placed', 'notice', 'An order', 'An order', '{{}}', now())""")
        self.received("NotificationsStalled")
        self.stack.curl(channel, "-X", "DELETE", *self.user)
        self.resolved("NotificationsStalled")

    def test_business_sign_ins_failing(self):
        for number in range(48):  # the server processes no more than fifty failures from one address
            if self.stack.webhook.alerts("LoginFailures"):
                break
            self.stack.post(self.stack.api + "/api/sessions", {"email": f"nobody{number}@example.com", "password": "wrong wrong wrong"})
        self.received("LoginFailures")

    # --- watching the watchers ---

    def test_watching_a_receiver_that_refuses(self):
        taking = self.stack.webhook.status
        self.addCleanup(setattr, self.stack.webhook, "status", taking)
        self.stack.webhook.status = 500
        self.stack.report_backup("redis", age_seconds=30 * 3600)
        self.firing("AlertsNotDelivered", 90)
        self.stack.webhook.status = taking
        self.received("AlertsNotDelivered", integration="webhook")
        self.stack.report_backup()

    def reload_with(self, name, change):
        """Changes a file of Prometheus' configuration and reloads it; returns a function that restores it."""
        path = self.stack.folder / "prometheus" / name
        good = path.read_text()

        def write(text):
            path.write_text(text)
            self.stack.processes["prometheus"].send_signal(signal.SIGHUP)

        write(change(good))
        return lambda: write(good)

    def test_watching_a_rule_that_cannot_be_evaluated(self):
        put_back = self.reload_with("recording.yml", lambda text: text + "  - name: broken\n    rules: [{ record: broken, expr: up * on () up }]\n")
        self.received("RuleFailures")
        put_back()
        self.resolved("RuleFailures")

    def test_watching_a_configuration_that_is_refused(self):
        put_back = self.reload_with("prometheus.yml", lambda text: text + "nonsense: true\n")
        self.received("ReloadFailed", job="prometheus")
        put_back()
        self.resolved("ReloadFailed")

    def test_watching_a_job_that_was_forgotten(self):
        put_back = self.reload_with("prometheus.yml", lambda text: text.replace("job_name: node\n", "job_name: other\n"))
        self.received("TargetMissing", job="node")
        put_back()
        self.resolved("TargetMissing")

    # --- all of them ---

    def test_z_every_alert_has_fired(self):
        written = set(re.findall(r"- alert: (\w+)", (ROOT / "monitoring/prometheus/alerts.yml").read_text()))
        fired = {labels["alertname"] for labels, _ in self.stack.query('count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1d]))')}
        self.assertEqual(written - fired - ELSEWHERE.keys(), set())
        for name, place in ELSEWHERE.items():
            self.assertIn(f'"{name}"', (ROOT / place).read_text())
