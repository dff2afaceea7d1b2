"""The real stack on this host, without containers: the server on private stores, with nginx, exporters, Prometheus
and Alertmanager around it. Time runs faster: windows of minutes become seconds, so that an alert fires within a test.
"""
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from Tests.webhook import Webhook

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The length of each of the rules' windows here. A scrape per second leaves enough samples in the shortest.
WINDOWS = {"5m": "8s", "7m": "15s", "15m": "20s", "20m": "20s", "30m": "15s", "1h": "20s", "2h": "25s", "135m": "60s", "6h": "30s", "1d": "60s", "3d": "70s", "30d": "90s"}
PORTS = ("api", "metrics", "http", "https", "status", "syslog", "edge-log", "prometheus", "alertmanager", "postgres", "redis", "nginx", "node", "blackbox", "outside")


def free_ports(names):
    """A port for each name, below the kernel's ephemeral range (net.ipv4.ip_local_port_range)."""
    ports = {}
    for _ in range(1000):
        port = random.randrange(12000, 20000)  # scripts/stores chooses above
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        if port not in ports.values():
            ports[next(name for name in names if name not in ports)] = port
        if len(ports) == len(names):
            return ports
    raise AssertionError("no free ports")


def until(what, condition, seconds=60, pause=0.2):
    """Waits for a condition; returns its last result, or fails and names what was awaited."""
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except OSError:
            value = None
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(pause)


def fetch(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


class Answer:
    """curl's result: the status, the headers of the last answer and the body."""

    def __init__(self, raw):
        head, _, self.body = raw.partition("\r\n\r\n")
        while re.match(r"HTTP/[\d.]+ 1\d\d", head):
            head, _, self.body = self.body.partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.version, status = lines[0].split(" ")[:2]
        self.status = int(status)
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __getitem__(self, name):
        values = self.all(name)
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)


class Client:
    """A person or a device on a connection that stays open: for more requests than a curl each could make."""

    def __init__(self, port, token=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.token = token

    def send(self, method, path, body=None, **headers):
        """The status and the body, parsed if it is JSON."""
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        self.connection.request(method, path, None if body is None else json.dumps(body), {k.replace("_", "-"): v for k, v in headers.items()})
        answer = self.connection.getresponse()
        text = answer.read()
        is_json = answer.headers.get_content_type() in ("application/json", "application/problem+json")
        return answer.status, json.loads(text) if is_json and text else None

    def make(self, path, body, **headers):
        status, made = self.send("POST", path, body, **headers)
        if status not in (200, 201):
            raise AssertionError(f"POST {path}: {status} {made}")
        return made


class Stack:
    def __init__(self, instance="stack", ports=PORTS):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"terroir-{instance}-"))
        self.folder.chmod(0o755)  # nginx's workers run as another user
        self.port = free_ports(ports)
        self.private_stores = [ROOT / "scripts" / "stores", "-i", instance]
        self.processes, self.settings, self.stores = {}, {}, {}
        self.edits = []  # changes to nginx's configuration folder before nginx reads it
        self.api = f"http://127.0.0.1:{self.port[ports[0]]}"
        self.edge = f"https://127.0.0.1:{self.port['https']}"
        self.plain = f"http://127.0.0.1:{self.port['http']}"

    # --- processes ---

    def start(self, name, arguments, ready=None, before=None, **environment):
        """Starts a process; `before` is called in it before it becomes the program."""
        with open(self.folder / f"{name}.log", "a") as log:
            self.processes[name] = subprocess.Popen(
                [str(each) for each in arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                env={**os.environ, **{key: str(value) for key, value in environment.items()}}, preexec_fn=before,
            )
        if ready:
            try:
                until(f"{name} to be ready or to end", lambda: self.processes[name].poll() is not None or ready())
                if self.processes[name].poll() is not None:
                    raise AssertionError(f"{name} ended")
            except AssertionError as failure:
                raise AssertionError(f"{failure}: {self.log(name)[-2000:]}") from None

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name)
        process.send_signal(how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()

    def close(self):
        for name in reversed(list(self.processes)):
            self.stop(name)
        if self.stores:
            subprocess.run([*self.private_stores, "destroy"], check=True)
        if os.environ.get("KEEP"):
            print("kept:", self.folder)
        else:
            shutil.rmtree(self.folder)

    # --- the parts ---

    def start_stores(self):
        subprocess.run([*self.private_stores, "start"], check=True)
        exports = subprocess.run([*self.private_stores, "env"], check=True, capture_output=True, text=True).stdout
        self.stores = dict(re.findall(r"^export (\w+)='(.*)'$", exports, re.M))
        self.redis_password = re.search(r"//:(.*)@", self.stores["REDIS_URL"])[1]
        # WAL is archived, to nowhere.
        for statement in ("ALTER SYSTEM SET archive_mode = on", "ALTER SYSTEM SET archive_command = 'true'"):
            subprocess.run(["psql", "-q", self.stores["DATABASE_URL"], "-c", statement], check=True)
        self.restart_store("postgres")
        subprocess.run(["psql", "-q", self.stores["DATABASE_URL"], "-c", "SELECT pg_switch_wal()"], check=True, stdout=subprocess.DEVNULL)

    def restart_store(self, name):
        subprocess.run([*self.private_stores, "restart", name], check=True)

    def store_pid(self, name):
        pidfile = pathlib.Path(self.stores[f"TERROIR_TEST_{name.upper()}_PIDFILE"])
        return int(pidfile.read_text().split()[0])

    def start_server(self, name="api", port=None, before=None, **environment):
        port = port or self.port["api"]
        self.start(name, [os.environ["TERROIR_BINARY"], "serve"], lambda: fetch(f"http://127.0.0.1:{port}/readyz"), before, **{
            "DATABASE_URL": self.stores["DATABASE_URL"], "REDIS_URL": self.stores["REDIS_URL"], "JWT_SECRET": "s" * 48,
            "PORT": port, "METRICS_PORT": self.port["metrics"], "HOST": "127.0.0.1", "ENVIRONMENT": "test",
            "TRUSTED_PROXIES": "127.0.0.1/32", "SHUTDOWN_DRAIN_SECONDS": "0", "LOG_FORMAT": "json", **self.settings, **environment,
        })

    def start_nginx(self, rate="10r/s", burst="20", server=None, colours=(), **settings):
        """nginx in front of the server, of another port, or of the addresses of blue and green with the folder that
        switches between them; its log is received beside it."""
        edge, log = self.folder / "nginx", f"127.0.0.1:{self.port['syslog']}"
        if "edge-log" not in self.processes:
            self.start("edge-log", [os.environ["TERROIR_BINARY"], "edge-log", "--syslog", log, "--metrics", f"127.0.0.1:{self.port['edge-log']}"],
                       lambda: fetch(f"http://127.0.0.1:{self.port['edge-log']}/metrics"))
        blue, *rest = colours or (f"127.0.0.1:{server or self.port['api']}",)
        subprocess.run(
            [ROOT / "scripts/nginx-config", edge, *(str(self.port[p]) for p in ("http", "https", "status")), blue, log, *rest],
            check=True, env={**os.environ, "EDGE_RATE": rate, "EDGE_BURST": burst, **settings},
        )
        for edit in self.edits:
            edit(edge)
        self.start(
            "nginx", ["nginx", "-e", "stderr", "-c", edge / "nginx.conf", "-g", "daemon off;"],
            lambda: fetch(f"http://127.0.0.1:{self.port['status']}/stub_status"),
        )

    def start_exporters(self):
        port = self.port
        passwords = self.folder / "redis.json"
        redis = "redis://" + self.stores["REDIS_URL"].split("@")[1].removesuffix("/0")
        passwords.write_text(json.dumps({redis: self.redis_password}))
        (self.folder / "textfile").mkdir(exist_ok=True)
        self.report_backup()
        listen = lambda name, flag="--web.listen-address": f"{flag}=127.0.0.1:{port[name]}"
        answers = lambda name: lambda: fetch(f"http://127.0.0.1:{port[name]}/metrics")
        self.start("postgres", ["prometheus-postgres-exporter", listen("postgres"), f"--extend.query-path={ROOT}/monitoring/postgres/queries.yml"], answers("postgres"),
                   DATA_SOURCE_NAME=self.stores["DATABASE_URL"] + "?sslmode=disable")
        self.start("redis", ["prometheus-redis-exporter", listen("redis", "-web.listen-address")], answers("redis"),
                   REDIS_ADDR=redis, REDIS_PASSWORD_FILE=passwords, REDIS_EXPORTER_CONNECTION_TIMEOUT="500ms")
        self.start("nginx-exporter", ["prometheus-nginx-exporter", listen("nginx", "-web.listen-address"),
                   f"-nginx.scrape-uri=http://127.0.0.1:{port['status']}/stub_status"], answers("nginx"))
        self.start("node", ["prometheus-node-exporter", listen("node"), f"--collector.textfile.directory={self.folder}/textfile"], answers("node"))
        self.start("blackbox", ["prometheus-blackbox-exporter", listen("blackbox"), f"--config.file={ROOT}/monitoring/blackbox/blackbox.yml"], answers("blackbox"))

    def report_backup(self, store="postgres", age_seconds=0, run=1, restore_test=1):
        """The metrics that a backup and a restore test leave for the node exporter; `run` and `restore_test`: whether
        they succeeded."""
        (self.folder / "textfile/backup.prom").write_text(
            f'terroir_backup_last_success_timestamp_seconds{{store="{store}"}} {time.time() - age_seconds}\n'
            f"terroir_backup_last_run_success {run}\nterroir_restore_test_last_run_success {restore_test}\n"
            f"terroir_restore_test_last_success_timestamp_seconds {time.time() - age_seconds}\n")

    def start_monitoring(self):
        port, source, folder = self.port, ROOT / "monitoring", self.folder / "prometheus"
        folder.mkdir()
        text = (source / "prometheus/prometheus.yml").read_text()
        for name, place in {
            "edge-log:9465": "edge-log", "postgres-exporter:9187": "postgres", "redis-exporter:9121": "redis", "nginx-exporter:9113": "nginx",
            "node-exporter:9100": "node", "blackbox-exporter:9115": "blackbox", "nginx:8443": "https",
            "localhost:9090": "prometheus", "alertmanager:9093": "alertmanager",
        }.items():
            text = text.replace(name, f"127.0.0.1:{port[place]}")
        text = re.sub(r"_(interval|timeout): \d+s", r"_\1: 1s", text)
        # This exporter retries for three seconds before it reports Postgres as down.
        text = text.replace("job_name: postgres\n", "job_name: postgres\n    scrape_interval: 5s\n    scrape_timeout: 5s\n")
        (folder / "prometheus.yml").write_text(text)
        (folder / "targets").mkdir()
        (folder / "targets/api.json").write_text((source / "prometheus/targets/api.json").read_text().replace("api:9464", f"127.0.0.1:{port['metrics']}"))
        for name in ("recording.yml", "alerts.yml"):
            text = (source / "prometheus" / name).read_text()
            text = re.sub(r"\b\d+[mhd]\b(?=[\w:]*\])", lambda match: WINDOWS[match[0]], text)
            # Sign-ins in five minutes, the seconds of a transaction, of a replica's lag and of waiting news: shortened,
            # as there is less time for them here.
            text = re.sub(r"\)\) > 30\n", ")) > 1\n", text)
            text = re.sub(r"> (30|300)\n", "> 3\n", text)
            (folder / name).write_text(re.sub(r"for: \w+", "for: 2s", text))
        # After a reload Prometheus has no Alertmanager for some seconds; alerts that fire then are sent at the next
        # sending. Series that are no longer scraped are forgotten after 15 s instead of 5 minutes.
        self.start("prometheus", ["prometheus", "--rules.alert.resend-delay=5s", "--query.lookback-delta=15s", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                   f"--web.listen-address=127.0.0.1:{port['prometheus']}", "--log.level=warn"],
                   lambda: fetch(f"http://127.0.0.1:{port['prometheus']}/-/ready"))

        self.webhook = Webhook()
        (self.folder / "secrets").mkdir()
        (self.folder / "secrets/webhook_url").write_text(self.webhook.url)
        template = self.folder / "alertmanager.template"
        text = (source / "alertmanager/alertmanager.yml").read_text()
        template.write_text(re.sub(r"(group_wait|group_interval|resolve_timeout): \w+", r"\1: 1s", text))
        self.start("alertmanager", ["sh", source / "alertmanager/start", template, self.folder / "alertmanager.yml", "prometheus-alertmanager",
                   f"--storage.path={self.folder}/alertmanager", f"--web.listen-address=127.0.0.1:{port['alertmanager']}", "--cluster.listen-address="],
                   lambda: fetch(f"http://127.0.0.1:{port['alertmanager']}/-/ready"), SECRETS=self.folder / "secrets")

    # --- queries ---

    def curl(self, url, *arguments):
        """A request by curl, as a client would make it; the certificate here is self-signed."""
        done = subprocess.run(["curl", "-sk", "-i", "--max-time", "20", *arguments, url], capture_output=True, check=False)
        if done.returncode:
            raise OSError(f"curl {url}: exit {done.returncode}")
        return Answer(done.stdout.decode(errors="replace"))

    def post(self, url, body, *arguments, method="POST"):
        return self.curl(url, "-X", method, "-H", "Content-Type: application/json", "-d", json.dumps(body), *arguments)

    def query(self, expression):
        """The samples of an expression in Prometheus now: pairs of labels and value."""
        found = json.loads(fetch(f"http://127.0.0.1:{self.port['prometheus']}/api/v1/query?query={urllib.request.quote(expression)}"))
        return [(sample["metric"], float(sample["value"][1])) for sample in found["data"]["result"]]

    def metric(self, name):
        """The sum of a family's samples on the server now."""
        text = fetch(f"http://127.0.0.1:{self.port['metrics']}/metrics")
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))
