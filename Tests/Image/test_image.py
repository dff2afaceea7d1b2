"""The image, and the stack that compose makes of it, on a real engine."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

from Tests.Image import project
from Tests.Image.project import IMAGE, ROOT, compose, container, curl, docker, inspect, is_healthy, post, run, running, until

NAME = "terroir.example.test"
SETTINGS = {
    "COMPOSE_PROFILES": "monitoring,certbot", "COMPOSE_FILE": "docker-compose.yml:Tests/Image/authority.yml",
    "SERVER_NAME": NAME, "CERTBOT_EMAIL": "someone@example.com", "CERTBOT_SERVER": "https://authority:14000/dir",
}


def make_authority(test):
    """Prepares the files of the ACME authority of authority.yml; returns their folder."""
    folder = tempfile.mkdtemp(prefix="terroir-authority-")
    test.addClassCleanup(shutil.rmtree, folder)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=authority",
         "-addext", "subjectAltName=DNS:authority", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"], check=True, capture_output=True)
    pathlib.Path(folder, "pebble.json").write_text(json.dumps({"pebble": {
        "listenAddress": ":14000", "managementListenAddress": ":15000", "httpPort": 8080, "tlsPort": 8443,
        "certificate": "/authority/certificate.pem", "privateKey": "/authority/key.pem"}}))
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    return folder


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        project.make()
        cls.addClassCleanup(project.remove)
        cls.image = inspect(IMAGE, "image")

    def test_runs_as_nobody_in_particular(self):
        self.assertEqual(self.image["Config"]["User"], "1001:1001")

    def test_is_small(self):
        base = inspect(next(line.split("=")[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if "DEBIAN_IMAGE=" in line), "image")
        added = (self.image["Size"] - base["Size"]) / 1e6
        binary = int(docker("run", "--rm", "--entrypoint", "stat", IMAGE, "-c", "%s", "/usr/local/bin/terroir")) / 1e6
        print(f"image {self.image['Size'] / 1e6:.0f} MB, {added:.0f} MB over its base; binary {binary:.0f} MB")
        self.assertLess(added, 35)  # 110 MB in all on the slim image, which has 75
        self.assertLess(binary, 18)  # 16 MB without the names that backtraces show

    def test_says_what_it_is(self):
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        self.assertRegex(docker("run", "--rm", IMAGE, "version"), rf"^terroir 0\.0\.0-test \(revision {commit}(-dirty)?, ")
        labels = self.image["Config"]["Labels"]
        self.assertRegex(labels["org.opencontainers.image.revision"], rf"^{commit}(-dirty)?$")
        self.assertRegex(labels["org.opencontainers.image.created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertTrue(labels["org.opencontainers.image.source"])
        self.assertEqual(labels["org.opencontainers.image.licenses"], "Apache-2.0")

    def test_is_checked_without_a_shell_or_curl(self):
        check = self.image["Config"]["Healthcheck"]
        self.assertEqual(check["Test"], ["CMD", "terroir", "healthcheck"])
        self.assertEqual((check["Interval"], check["Timeout"], check["StartPeriod"], check["Retries"]), (30 * 10**9, 3 * 10**9, 5 * 10**9, 3))
        self.assertEqual(set(self.image["Config"]["ExposedPorts"]), {"3000/tcp", "9464/tcp"})

    def test_lists_every_fault_of_its_configuration_and_leaves(self):
        done = run("docker", "run", "--rm", "-e", "PORT=abc", "-e", "LOG_LEVEL=loud", IMAGE, check=False)
        self.assertEqual(done.returncode, 78, done.stderr)
        for name in ("PORT", "LOG_LEVEL"):
            self.assertIn(name, done.stdout + done.stderr)


class Stack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        project.make(**SETTINGS, AUTHORITY=make_authority(cls))
        cls.addClassCleanup(project.remove)
        project.down()
        project.up()

    def test_everything_is_healthy(self):
        for service in running():
            self.assertTrue(is_healthy(service), service)
        for service in ("migrate", "certificate", "roles", "ballast"):
            self.assertEqual(inspect(container(service))["State"]["ExitCode"], 0)

    def test_the_main_path(self):
        login = {"email": f"image{time.time()}@example.com", "password": "a long enough password"}
        self.assertEqual(post("/api/users", {**login, "displayName": "Image"})[0], 201)
        token = post("/api/sessions", login)[1]["accessToken"]
        garden = post("/api/gardens", {"name": "In a container"}, token)[1]["id"]
        device = post(f"/api/gardens/{garden}/devices", {"name": "probe"}, token)[1]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        reading = {"readings": [{"sensorType": "rain", "value": 2.5, "measuredAt": now}]}
        self.assertEqual(post(f"/api/devices/{device['id']}/readings", reading, device["key"])[1]["accepted"], 1)
        status, text = curl(f"/api/devices/{device['id']}/readings", "-H", f"Authorization: Bearer {token}")
        self.assertEqual((status, json.loads(text)["items"][0]["value"]), (200, 2.5))

    def test_certbot_gets_a_certificate_that_nginx_takes(self):
        def issuer():
            return run("sh", "-c", f"openssl s_client -connect 127.0.0.1:{project.HTTPS_PORT} </dev/null 2>/dev/null | openssl x509 -noout -issuer -subject").stdout
        until("nginx to show the authority's certificate", lambda: "Pebble" in issuer(), 120)

    def test_metrics_are_denied_outside(self):
        for path in ("/metrics", "/api/metrics"):
            self.assertEqual(curl(path)[0], 403)

    def test_only_nginx_is_published_beyond_this_host(self):
        for service in running():
            for bindings in inspect(container(service))["NetworkSettings"]["Ports"].values():
                for binding in bindings or []:
                    if service != "nginx":
                        self.assertEqual(binding["HostIp"], "127.0.0.1", service)

    def test_nothing_runs_as_root_or_may_write_its_root(self):
        for service in running():
            name = container(service)
            # Users as numbers on this host.
            users = {line.split()[0] for line in docker("top", name, "-eo", "uid,pid,args").splitlines()[1:]}
            self.assertNotIn("0", users, service)
            self.assertTrue(inspect(name)["HostConfig"]["ReadonlyRootfs"], service)
            self.assertEqual(inspect(name)["HostConfig"]["CapDrop"], ["ALL"], service)

    def test_no_secret_is_seen_by_inspection(self):
        secrets = [path.read_text() for path in (project.folder / "secrets").iterdir() if path.read_text()]
        for service in running():
            text = docker("container", "inspect", container(service)) + docker("top", container(service), "-eo", "pid,args")
            for secret in secrets:
                self.assertNotIn(secret, text, service)

    def test_the_server_s_role_changes_no_table_and_reads_no_other_database(self):
        def api(sql, role="api", database="terroir"):
            password = (project.folder / f"secrets/postgres_{role}_password").read_text()
            done = run("docker", "compose", "exec", "-T", "-e", f"PGPASSWORD={password}", "postgres", "psql", "-XAt", "-h", "127.0.0.1",
                       "-U", f"terroir_{role}", "-d", database, "-c", sql, check=False)
            return done.stdout.strip() or done.stderr
        self.assertEqual(api("SELECT count(*) > 0 FROM schema_migrations"), "t")
        self.assertIn("must be owner of table gardens", api("DROP TABLE gardens"))
        self.assertIn("permission denied for database", api("SELECT 1", database="postgres"))
        self.assertIn("permission denied", api("SELECT * FROM public.users", role="exporter"))

    def test_the_server_s_user_in_redis_keeps_to_its_keys(self):
        def ask(user, *command):
            password = (project.folder / f"secrets/redis_{user}_password").read_text()
            return run("docker", "compose", "exec", "-T", "-e", f"REDISCLI_AUTH={password}", "redis", "redis-cli", "--user", f"terroir_{user}", *command).stdout.strip()
        operator = "REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli ACL LOG"
        self.assertEqual(compose("exec", "-T", "redis", "sh", "-c", operator), "", "what the server or the exporter needs is refused")
        self.assertEqual(ask("api", "PING"), "PONG")
        for user, command in (("api", "FLUSHALL"), ("api", "CONFIG GET maxmemory"), ("api", "GET other"), ("exporter", "GET terroir:x")):
            self.assertIn("NOPERM", ask(user, *command.split()), command)

    def test_a_server_that_was_stopped_is_ended_by_its_health_check(self):
        name = container("api")
        server = next(line.split()[0] for line in docker("top", name, "-eo", "pid,args").splitlines() if "terroir serve" in line and "tini" not in line)
        before = inspect(name)["RestartCount"]
        os.kill(int(server), signal.SIGSTOP)
        until("the server to be ended", lambda: inspect(name)["RestartCount"] > before, 90)
        until("the service to serve", lambda: curl("/api/gardens")[0] == 200, 30)
        until("the server to be healthy", lambda: is_healthy("api"), 30)

    def ask_prometheus(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:9090/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)["data"]

    def test_prometheus_sees_every_target(self):
        def up():
            targets = self.ask_prometheus("targets?state=active")["activeTargets"]
            return len(targets) > 8 and {target["health"] for target in targets} == {"up"}
        until("every target", up, 60)

    def test_backups_may_report_themselves_from_the_start(self):
        def errors():
            return [sample["value"][1] for sample in self.ask_prometheus("query?query=node_textfile_scrape_error")["result"]]
        self.assertEqual(until("the node exporter to be scraped", errors, 60), ["0"])

    def test_killing_any_process_heals_without_hands(self):
        for service in running():
            name = container(service)
            os.kill(inspect(name)["State"]["Pid"], signal.SIGKILL)
            until(f"{service} to be restarted", lambda name=name: inspect(name)["RestartCount"] >= 1, 20)
            until(f"{service} to be healthy", lambda service=service: is_healthy(service), 90)
        until("the service to serve", lambda: curl("/api/gardens")[0] == 200, 30)
        until("the report to be good", lambda: curl("/health")[0] == 200, 30)

    def test_stops_cleanly_on_a_signal(self):
        name = container("api")
        started = time.monotonic()
        docker("stop", "--time", "40", name)
        took, state, answer = time.monotonic() - started, inspect(name)["State"], curl("/api/gardens")
        docker("start", name)
        self.assertLess(took, 30)
        self.assertEqual(state["ExitCode"], 0)
        self.assertIn(answer[0], (503, 504))  # refused, or no host at that address
        until("the service to serve", lambda: curl("/api/gardens")[0] == 200, 30)
