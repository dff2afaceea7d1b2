"""Each family of alerts, fired by a fault in the real stack and received by a webhook; and what Prometheus sees."""
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from Tests.Stack.stack import ROOT, Stack, fetch, until


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack()
        cls.addClassCleanup(stack.close)
        stack.start_stores()
        stack.start_server()
        stack.start_nginx(rate="1000r/s", burst="1000")
        stack.start_exporters()
        stack.start_monitoring()
        cls.email = {"email": "alerts@example.com", "password": "a long enough password"}
        stack.post(stack.api + "/api/users", {**cls.email, "displayName": "Alerts"})
        cls.token = stack.post(stack.api + "/api/sessions", cls.email).json()["accessToken"]
        cls.user = ("-H", f"Authorization: Bearer {cls.token}")
        cls.garden = stack.post(stack.api + "/api/gardens", {"name": "Alerts"}, *cls.user).json()["id"]
        until("every target to be up", lambda: len(stack.query("up == 1")) == 8)

    def received(self, name, seconds=45, **labels):
        return until(f"{name} {labels} at the webhook", lambda: self.stack.webhook.has(name, **labels), seconds)

    def resolved(self, name, seconds=60, **labels):
        return until(f"{name} {labels} to be resolved", lambda: self.stack.webhook.has(name, "resolved", **labels), seconds)

    def device(self, name):
        return self.stack.post(f"{self.stack.api}/api/gardens/{self.garden}/devices", {"name": name}, *self.user).json()

    def send(self, device, *values):
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        readings = [{"sensorType": "rain", "value": value, "measuredAt": f"{now}.{number:03}Z"} for number, value in enumerate(values)]
        return self.stack.post(
            f"{self.stack.api}/api/devices/{device['id']}/readings", {"readings": readings}, "-H", f"Authorization: Bearer {device['key']}")

    def asking(self, path="/api/gardens", pause=0.05):
        """Asks for a path again and again until the returned function is called."""
        over = threading.Event()

        def ask():
            while not over.wait(pause):
                try:
                    self.stack.curl(self.stack.api + path, *self.user)
                except OSError:
                    pass

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()

        def stop():
            over.set()
            for thread in threads:
                thread.join()

        self.addCleanup(stop)
        return stop

    # --- what Prometheus sees ---

    def test_a_nothing_fires_while_all_is_well(self):
        time.sleep(6)
        self.assertEqual(self.stack.query('ALERTS{alertstate="firing"}'), [])

    def test_b_every_metric_of_the_rules_and_dashboards_exists(self):
        self.send(self.device("metrics"), 1)
        time.sleep(3)
        done = subprocess.run(
            [ROOT / ".venv/bin/python", ROOT / "monitoring/expressions.py",
             f"http://127.0.0.1:{self.stack.port['prometheus']}", f"http://127.0.0.1:{self.stack.port['metrics']}/metrics"],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_b_the_exposition_is_clean(self):
        text = fetch(f"http://127.0.0.1:{self.stack.port['metrics']}/metrics")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
        answer = self.stack.curl(self.stack.api + "/metrics", "-H", "Accept: application/openmetrics-text; version=1.0.0")
        self.assertIn("openmetrics", answer["Content-Type"])
        self.assertGreater(len(list(text_string_to_metric_families(answer.body))), 10)

    def test_b_prometheus_and_alertmanager_complain_of_nothing(self):
        for name in ("prometheus", "alertmanager"):
            self.assertNotRegex(self.stack.log(name), r"level=(error|ERROR)")
        self.assertEqual(self.stack.query("sum(prometheus_rule_evaluation_failures_total) > 0"), [])

    # --- requests and the error budget ---

    def test_requests_failing_while_postgres_is_away(self):
        stop = self.asking()
        os.kill(self.stack.store_pid("postgres"), signal.SIGKILL)
        self.addCleanup(self.stack.restart_store, "postgres")
        # The rules let the store's own alert silence these, so they are read at Prometheus.
        for name in ("HighErrorRate", "ErrorBudgetBurnFast"):
            until(name, lambda name=name: self.stack.query(f'ALERTS{{alertname="{name}",alertstate="firing"}}'), 45)
        self.received("StoreUnreachable", job="postgres")
        self.stack.restart_store("postgres")
        until("the server to be ready", lambda: self.stack.curl(self.stack.api + "/readyz").status == 200, 5)
        self.resolved("StoreUnreachable", job="postgres")
        stop()
        until("the errors to be over", lambda: not self.stack.query('ALERTS{alertname="HighErrorRate",alertstate="firing"}'), 60)

    def test_requests_slow_behind_a_lock(self):
        stop = self.asking(pause=0.2)
        end = time.monotonic() + 60
        while not self.stack.webhook.has("HighResponseTime"):
            self.assertLess(time.monotonic(), end, "no HighResponseTime")
            subprocess.run(["psql", "-q", self.stack.stores["DATABASE_URL"], "-c",
                            "BEGIN; LOCK TABLE gardens IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT"], stdout=subprocess.DEVNULL, check=True)
        stop()

    # --- availability ---

    def test_availability_redis_stopped(self):
        pid = self.stack.store_pid("redis")
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        until("DependencyDown", lambda: self.stack.query('ALERTS{alertname="DependencyDown",name="redis",alertstate="firing"}'), 45)
        self.assertEqual(self.stack.curl(self.stack.api + "/readyz").status, 200)
        self.received("StoreUnreachable", job="redis")
        os.kill(pid, signal.SIGCONT)
        self.resolved("StoreUnreachable", job="redis")

    def test_availability_server_and_edge_gone(self):
        self.stack.stop("nginx")
        self.received("EdgeDown")
        self.stack.stop("api")
        self.received("InstanceDown", job="api")
        self.stack.start_server()
        self.stack.start_nginx(rate="1000r/s", burst="1000")
        self.resolved("InstanceDown", job="api")

    def test_availability_the_server_killed_again_and_again(self):
        for _ in range(3):
            self.stack.stop("api", signal.SIGKILL)
            self.stack.start_server()
            time.sleep(1.5)
        self.received("Restarting")

    # --- stores and runtime ---

    def test_stores_connections_taken(self):
        held = [subprocess.Popen(["psql", "-q", self.stack.stores["DATABASE_URL"], "-c", "SELECT pg_sleep(120)"], stdout=subprocess.DEVNULL)
                for _ in range(165)]
        try:
            self.received("DatabaseConnectionsHigh")
        finally:
            for each in held:
                each.kill()
                each.wait()
        subprocess.run(["psql", "-q", self.stack.stores["DATABASE_URL"], "-c",
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)%' AND pid <> pg_backend_pid()"],
                       check=True, stdout=subprocess.DEVNULL)

    def redis(self, *command):
        port = re.search(r":(\d+)/", self.stack.stores["REDIS_URL"].split("@")[1])[1]
        return subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", port, *command], check=True, capture_output=True, text=True,
                              env={**os.environ, "REDISCLI_AUTH": self.stack.redis_password}).stdout.strip()

    def test_stores_redis_memory_almost_used(self):
        used = int(re.search(r"used_memory:(\d+)", self.redis("info", "memory"))[1])
        self.redis("config", "set", "maxmemory", str(int(used * 1.05)))
        try:
            self.received("RedisMemoryHigh")
        finally:
            self.redis("config", "set", "maxmemory", "0")

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

    # --- host ---

    def test_host_certificate_about_to_end(self):
        folder = self.stack.folder / "nginx/certificates"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "5",
                        "-subj", "/CN=localhost", "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"], check=True, capture_output=True)
        self.received("CertificateExpiring")

    def test_host_backup_old(self):
        (self.stack.folder / "textfile/backup.prom").write_text(
            f'terroir_backup_last_success_timestamp_seconds{{store="postgres"}} {time.time() - 30 * 3600}\n')
        self.received("BackupTooOld", store="postgres")
        (self.stack.folder / "textfile/backup.prom").write_text(
            f'terroir_backup_last_success_timestamp_seconds{{store="postgres"}} {time.time()}\n')
        self.resolved("BackupTooOld")

    # --- business ---

    def test_business_a_silent_sensor(self):
        silent, steady = self.device("silent"), self.device("steady")
        for value in range(4):
            for device in (silent, steady):
                self.assertEqual(self.send(device, value).status, 200)
            time.sleep(1.1)
        end = time.monotonic() + 60
        while not self.stack.webhook.has("SensorSilent", device_id=silent["id"]):
            self.assertLess(time.monotonic(), end, "no SensorSilent")
            self.send(steady, 1)
            time.sleep(1.1)
        self.assertEqual(self.stack.webhook.has("SensorSilent", device_id=steady["id"]), [])

    def test_business_readings_rejected(self):
        device = self.device("broken")
        end = time.monotonic() + 45
        while not self.stack.webhook.has("ReadingsRejected"):
            self.assertLess(time.monotonic(), end, "no ReadingsRejected")
            self.send(device, 1, *[9999] * 20)
            time.sleep(0.5)

    def test_business_sign_ins_failing(self):
        end = time.monotonic() + 60
        for number in range(48):  # the server hears no more than fifty failures from one address
            if self.stack.webhook.has("LoginFailures"):
                break
            self.assertLess(time.monotonic(), end, "no LoginFailures")
            self.stack.post(self.stack.api + "/api/sessions", {"email": f"nobody{number}@example.com", "password": "wrong wrong wrong"})
        self.received("LoginFailures")

    # --- watching the watchers ---

    def test_watching_a_receiver_that_refuses(self):
        self.stack.webhook.refusing = True
        self.addCleanup(setattr, self.stack.webhook, "refusing", False)
        (self.stack.folder / "textfile/backup.prom").write_text(
            f'terroir_backup_last_success_timestamp_seconds{{store="redis"}} {time.time() - 30 * 3600}\n')
        until("AlertsNotDelivered", lambda: self.stack.query('ALERTS{alertname="AlertsNotDelivered",alertstate="firing"}'), 90)
        self.stack.webhook.refusing = False
        self.received("AlertsNotDelivered", integration="webhook")
        (self.stack.folder / "textfile/backup.prom").unlink()


if __name__ == "__main__":
    unittest.main()
