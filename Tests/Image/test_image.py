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

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE = "terroir:image-test"
# All but what no stand-in exists for (Tests/Image/stand-ins).
SERVICES = ("nginx", "prometheus", "alertmanager", "node-exporter", "postgres-exporter", "redis-exporter", "nginx-exporter", "blackbox-exporter", "certbot")
HTTPS_PORT = "28443"
NAME = "terroir.example.test"
ENVIRONMENT = {
    **os.environ, "TERROIR_IMAGE": IMAGE, "COMPOSE_PROJECT_NAME": "terroir-image-test", "COMPOSE_PROFILES": "monitoring,certbot",
    "COMPOSE_FILE": "docker-compose.yml:Tests/Image/authority.yml",
    "SERVER_NAME": NAME, "CERTBOT_EMAIL": "someone@example.com", "CERTBOT_SERVER": "https://authority:14000/dir",
    "HTTP_PORT": "28080", "HTTPS_PORT": HTTPS_PORT, "EDGE_RATE": "500r/s", "EDGE_BURST": "500", "DOCKER_BUILDKIT": "1",
}


def run(*command, check=True):
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=check)


def docker(*arguments, check=True):
    return run("docker", *arguments, check=check).stdout.strip()


def compose(*arguments, check=True):
    done = run(ROOT / ".venv/bin/docker-compose", "--env-file", ".env.example", *arguments, check=False)
    if check and done.returncode:
        raise AssertionError(f"compose {arguments}: {done.stderr[-3000:]}")
    return done.stdout.strip()


def inspect(name, kind="container"):
    return json.loads(docker(kind, "inspect", name))[0]


def container(service):
    return compose("ps", "--all", "--quiet", service)


def until(what, condition, seconds):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.5)
    return value


def curl(path, *arguments):
    done = run("curl", "-sk", "--max-time", "20", "-w", "\n%{http_code}", *arguments, f"https://127.0.0.1:{HTTPS_PORT}{path}", check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body


def post(path, body, token=None):
    authorization = ("-H", f"Authorization: Bearer {token}") if token else ()
    status, text = curl(path, "-H", "Content-Type: application/json", "-d", json.dumps(body), *authorization)
    return status, json.loads(text)


class Image(unittest.TestCase):  # runs first: its name does
    @classmethod
    def setUpClass(cls):
        started = time.monotonic()
        done = run("docker", "build", "--tag", IMAGE, "--build-arg", "VERSION=0.0.0-test", "--build-arg", "REVISION=abc", ".", check=False)
        if done.returncode:
            raise AssertionError(f"docker build: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        print(f"built in {time.monotonic() - started:.0f} s")
        cls.image = inspect(IMAGE, "image")

    def test_runs_as_nobody_in_particular(self):
        self.assertEqual(self.image["Config"]["User"], "1001:1001")

    def test_is_small(self):
        base = inspect(next(line.split("=")[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if "DEBIAN_IMAGE=" in line), "image")
        added = (self.image["Size"] - base["Size"]) / 1e6
        binary = int(docker("run", "--rm", "--entrypoint", "stat", IMAGE, "-c", "%s", "/usr/local/bin/terroir")) / 1e6
        print(f"image {self.image['Size'] / 1e6:.0f} MB, {added:.0f} MB over its base; binary {binary:.0f} MB")
        self.assertLess(added, 105)  # 180 MB in all on the slim image, which is 75
        self.assertLess(binary, 65)

    def test_says_what_it_is(self):
        self.assertRegex(docker("run", "--rm", IMAGE, "version"), r"^terroir 0\.0\.0-test \(revision abc, ")
        labels = self.image["Config"]["Labels"]
        self.assertEqual(labels["org.opencontainers.image.revision"], "abc")
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
        run("scripts/secrets")
        cls.make_authority()
        cls.addClassCleanup(compose, "down", "--volumes", "--timeout", "20", check=False)
        compose("down", "--volumes", "--timeout", "5", check=False)
        compose("up", "--detach", "--no-build", "--pull", "never", "--wait", "--wait-timeout", "180", *SERVICES)

    @classmethod
    def make_authority(cls):
        """What the ACME authority of authority.yml needs."""
        folder = ENVIRONMENT["AUTHORITY"] = tempfile.mkdtemp(prefix="terroir-authority-")
        cls.addClassCleanup(shutil.rmtree, folder)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=authority",
            "-addext", "subjectAltName=DNS:authority", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem")
        pathlib.Path(folder, "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": ":14000", "managementListenAddress": ":15000", "httpPort": 8080, "tlsPort": 8443,
            "certificate": "/authority/certificate.pem", "privateKey": "/authority/key.pem"}}))
        run("chmod", "-R", "a+rX", folder)

    def running(self):
        return [line for line in compose("ps", "--services").split() if line]

    def healthy(self, service):
        state = inspect(container(service))["State"]
        return state["Running"] and state.get("Health", {"Status": "healthy"})["Status"] == "healthy"

    def test_everything_is_healthy(self):
        for service in self.running():
            self.assertTrue(self.healthy(service), service)
        for service in ("migrate", "certificate"):
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
            return run("sh", "-c", f"openssl s_client -connect 127.0.0.1:{HTTPS_PORT} </dev/null 2>/dev/null | openssl x509 -noout -issuer -subject").stdout
        until("nginx to show the authority's certificate", lambda: "Pebble" in issuer(), 120)

    def test_metrics_are_denied_outside(self):
        for path in ("/metrics", "/api/metrics"):
            self.assertEqual(curl(path)[0], 403)

    def test_only_nginx_is_published_beyond_this_host(self):
        for service in self.running():
            for bindings in inspect(container(service))["NetworkSettings"]["Ports"].values():
                for binding in bindings or []:
                    if service != "nginx":
                        self.assertEqual(binding["HostIp"], "127.0.0.1", service)

    def test_nothing_runs_as_root_or_may_write_its_root(self):
        for service in self.running():
            name = container(service)
            # Users as their numbers on this host.
            users = {line.split()[0] for line in docker("top", name, "-eo", "uid,pid,args").splitlines()[1:]}
            self.assertNotIn("0", users, service)
            self.assertTrue(inspect(name)["HostConfig"]["ReadonlyRootfs"], service)
            self.assertEqual(inspect(name)["HostConfig"]["CapDrop"], ["ALL"], service)

    def test_no_secret_is_seen_by_inspection(self):
        secrets = [path.read_text() for path in (ROOT / "secrets").iterdir() if path.read_text()]
        for service in self.running():
            text = docker("container", "inspect", container(service)) + docker("top", container(service), "-eo", "pid,args")
            for secret in secrets:
                self.assertNotIn(secret, text, service)

    def test_prometheus_sees_every_target(self):
        def up():
            with urllib.request.urlopen("http://127.0.0.1:9090/api/v1/query?query=up==1", timeout=5) as answer:
                return len(json.load(answer)["data"]["result"]) == 8
        until("every target", up, 60)

    def test_killing_any_process_heals_without_hands(self):
        for service in self.running():
            name = container(service)
            os.kill(inspect(name)["State"]["Pid"], signal.SIGKILL)
            until(f"{service} to be restarted", lambda name=name: inspect(name)["RestartCount"] >= 1, 20)
            until(f"{service} to be healthy", lambda service=service: self.healthy(service), 90)
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
        self.assertIn(answer[0], (503, 504))  # refused, or nobody at that address
        until("the service to serve", lambda: curl("/api/gardens")[0] == 200, 30)


if __name__ == "__main__":
    unittest.main()
