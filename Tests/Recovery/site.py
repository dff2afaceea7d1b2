"""A plain host with backups, in one folder: a Postgres that archives, Redis, the server, and the installed commands."""
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from Tests.Stack.stack import ROOT, free_ports, until
from Tests.webhook import Webhook

BINARY = os.environ.get("TERROIR_BINARY", str(ROOT / ".build" / "debug" / "terroir"))
POSTGRES = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
# Postgres refuses to run as root, so root gives everything to Debian's user postgres.
AS_OWNER = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
PASSWORD = "sunflowers-and-rain"


class Site:
    def __init__(self, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terroir-recovery-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.port = free_ports(("redis", "api"))
        self.data, self.socket = self.folder / "data", self.folder / "socket"
        for name in ("socket", "state", "metrics", "etc", "redis"):
            (self.folder / name).mkdir()
        for part in ("scripts/backup", "deploy/backup"):
            shutil.copytree(ROOT / part, self.folder / part)
        shutil.copy(ROOT / "scripts/postgres-roles", self.folder / "scripts")
        shutil.copy(BINARY, self.folder / "terroir")
        self.processes = {}
        self.told = Webhook()
        self.write("passphrase", secrets.token_hex(32))
        self.write("webhook", self.told.url)
        subprocess.run(["age-keygen", "-o", self.folder / "etc/identity"], check=True, capture_output=True)
        self.write("recipients", self.output("age-keygen", "-y", self.folder / "etc/identity"))
        self.settings = {
            "BACKUP_DATA": self.data, "BACKUP_SOCKET": self.socket, "BACKUP_PORT": 5432, "BACKUP_USER": "terroir_backup",
            "BACKUP_REPOSITORY": self.folder / "repository", "BACKUP_PASSPHRASE_FILE": self.folder / "etc/passphrase",
            "BACKUP_RECIPIENTS_FILE": self.folder / "etc/recipients", "BACKUP_IDENTITY_FILE": self.folder / "etc/identity",
            "BACKUP_WEBHOOK_FILE": self.folder / "etc/webhook", "BACKUP_CONFIGURATION": self.folder / "etc",
            "BACKUP_STATE": self.folder / "state", "BACKUP_METRICS": self.folder / "metrics",
            "BACKUP_REDIS": f"127.0.0.1:{self.port['redis']}", "TERROIR_BINARY": self.folder / "terroir", **settings,
        }
        self.database_url = f"postgres://terroir@{str(self.socket).replace('/', '%2F')}:5432/terroir"
        self.redis_url = f"redis://127.0.0.1:{self.port['redis']}/0"
        self.url = f"http://127.0.0.1:{self.port['api']}"
        self.environment = {
            **os.environ, "BACKUP_SETTINGS": str(self.folder / "backup.env"), "PATH": f"{self.folder}/bin:{POSTGRES}:{os.environ['PATH']}",
            "DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "JWT_SECRET": secrets.token_hex(32),
            "PORT": str(self.port["api"]), "METRICS_PORT": "0", "HOST": "127.0.0.1", "ENVIRONMENT": "test", "LOG_FORMAT": "json",
            "SHUTDOWN_DRAIN_SECONDS": "0",
        }
        (self.folder / "bin").mkdir()
        self.configure()

    def write(self, name, text):
        (self.folder / "etc" / name).write_text(text)

    def configure(self, **settings):
        """Writes settings to the file, and has the commands write pgBackRest's configuration."""
        self.settings.update(settings)
        (self.folder / "backup.env").write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))
        self.own(self.folder)
        self.archiving = self.command("configure").stdout

    def own(self, path):
        """Gives what a test made to the owner of the cluster."""
        if AS_OWNER:
            subprocess.run(["chown", "-R", "postgres:", path], check=True)

    # --- processes ---

    def run(self, *arguments, check=True, cwd=None, **environment):
        done = subprocess.run([*AS_OWNER, *map(str, arguments)], env={**self.environment, **environment}, cwd=cwd or self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        if check and done.returncode:
            raise AssertionError(f"{arguments}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def output(self, *arguments):
        return subprocess.run([str(each) for each in arguments], check=True, capture_output=True, text=True).stdout

    def command(self, name, *arguments, check=True, **environment):
        """Runs one of scripts/backup; returns its output."""
        return self.run(self.folder / "scripts/backup" / name, *arguments, check=check, **environment)

    def start(self, name, *arguments, ready):
        with open(self.folder / f"{name}.log", "a") as log:
            self.processes[name] = subprocess.Popen([*AS_OWNER, *map(str, arguments)], env=self.environment, cwd=self.folder,
                                                    stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            until(f"{name} to be ready", ready)
        except AssertionError as failure:
            raise AssertionError(f"{failure}: {(self.folder / f'{name}.log').read_text()[-2000:]}") from None

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if process:
            os.killpg(process.pid, how)
            process.wait(60)

    def begin(self):
        """A new cluster with the schema, and everything started."""
        self.make_cluster()
        self.start_redis()
        self.run(self.folder / "terroir", "migrate")
        self.make_roles()
        self.start_server()
        return self

    def make_cluster(self):
        """With an empty database in it."""
        self.run("initdb", "-D", self.data, "-U", "terroir", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums")
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{self.socket}'\nmax_connections = 200\n{self.archiving}")
        self.start_postgres()
        self.sql("CREATE DATABASE terroir", database="postgres")

    def make_roles(self):
        files = {f"{role}_PASSWORD_FILE": str(self.folder / "etc/passphrase") for role in ("OWNER", "API", "EXPORTER", "BACKUP")}
        self.run("sh", self.folder / "scripts/postgres-roles", PGHOST=str(self.socket), PGUSER="terroir", PGDATABASE="terroir", **files)

    def start_postgres(self):
        self.run("pg_ctl", "-D", self.data, "-l", self.folder / "postgres.log", "-w", "-t", "120", "start")

    def stop_postgres(self):
        self.run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", "120", "stop", check=False)

    def kill_postgres(self):
        """Kills every process of the cluster at once, as when the host fails."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        family = [postmaster, *map(int, subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True).stdout.split())]
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        until("the cluster to be gone", lambda: not any(pathlib.Path(f"/proc/{pid}/cmdline").exists() and pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in family))

    def start_redis(self):
        self.start("redis", "redis-server", "--port", self.port["redis"], "--bind", "127.0.0.1", "--dir", self.folder / "redis", "--appendonly", "yes",
                   "--repl-diskless-sync-delay", "0", ready=lambda: "PONG" in self.run("redis-cli", "-p", self.port["redis"], "ping", check=False).stdout)

    def start_server(self):
        self.start("server", self.folder / "terroir", "serve", ready=lambda: self.get("/readyz")[0] == 200)

    def end(self):
        for name in list(self.processes):
            self.stop(name, signal.SIGKILL if name == "server" else signal.SIGTERM)
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop", check=False)
        self.told.close()
        if os.environ.get("KEEP"):
            print("kept:", self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- its data ---

    def sql(self, text, database="terroir", socket=None):
        return self.run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", socket or self.socket, "-U", "terroir", "-c", text, database).stdout.strip()

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def post(self, path, body, token=None):
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def grower(self):
        """Makes a garden with a device; returns the device's id and key."""
        login = {"email": "rosa@example.org", "password": PASSWORD}
        self.post("/api/users", {**login, "displayName": "Rosa"})
        token = self.post("/api/sessions", login)["accessToken"]
        garden = self.post("/api/gardens", {"name": "Walled garden"}, token)["id"]
        return self.post(f"/api/gardens/{garden}/devices", {"name": "Tomato bed"}, token)

    def fill(self, device, count):
        """Inserts `count` readings of the days before directly into the table."""
        self.sql(f"""
            SELECT readings_partition_make(day::date) FROM generate_series(current_date - 9, current_date - 1, interval '1 day') day
              WHERE to_regclass(to_char(day, '"readings_"YYYYMMDD')) IS NULL;
            INSERT INTO readings SELECT '{device["id"]}', 'rain', (current_date - 1 - (n % 9))::timestamp AT TIME ZONE 'UTC' + n / 9 * interval '1 millisecond',
              n % 100 FROM generate_series(1, {count}) n;""")

    def switch(self):
        """Ends the current WAL segment, and waits until the archive has it."""
        self.sql("SELECT pg_logical_emit_message(false, 'switch', 'so that there is something to end')")
        segment = self.sql("SELECT pg_walfile_name(pg_switch_wal())")
        until(f"{segment} to be archived", lambda: self.sql("SELECT last_archived_wal FROM pg_stat_archiver") >= segment)

    def repository(self, pattern="**/*"):
        """The files of the repository, largest first."""
        files = [path for path in (self.folder / "repository").glob(pattern) if path.is_file()]
        return sorted(files, key=lambda path: -path.stat().st_size)

    def metric(self, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", (self.folder / "metrics/terroir_backup.prom").read_text(), re.M)
        return float(found[1]) if found else None


def rfc3339(milliseconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03}Z"


class Ingestion:
    """A device that sends readings and records which were acknowledged, and when."""

    def __init__(self, site, device, pause=0.02):
        self.acknowledged, self.over = [], threading.Event()
        self.site, self.device, self.pause = site, device, pause
        self.thread = threading.Thread(target=self.send, daemon=True)
        self.thread.start()

    def send(self):
        at = int(time.time() * 1000) - 3_600_000
        while not self.over.wait(self.pause):
            moments = range(at, at + 20)
            at += 20
            readings = [{"sensorType": "soil_moisture", "value": moment % 100, "measuredAt": rfc3339(moment)} for moment in moments]
            try:
                if self.site.post(f"/api/devices/{self.device['id']}/readings", {"readings": readings}, self.device["key"])["accepted"] == 20:
                    self.acknowledged.append((time.time(), at - 20))
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise
            except OSError:
                pass

    def stop(self):
        self.over.set()
        self.thread.join()

    def lost(self, before=None, socket=None):
        """The number of readings acknowledged before a moment that the database lacks."""
        wanted = [first for moment, first in self.acknowledged if before is None or moment <= before]
        # As many at a time as an argument can hold.
        there = sum(self.stored(wanted[start : start + 2_000], socket) for start in range(0, len(wanted), 2_000))
        return len(wanted) * 20 - there

    def stored(self, firsts, socket):
        """The number of readings of those requests in the database."""
        return int(self.site.sql(f"""
            SELECT count(*) FROM unnest('{{{",".join(map(str, firsts))}}}'::bigint[]) first, generate_series(first, first + 19) moment
            WHERE EXISTS (SELECT FROM readings WHERE device_id = '{self.device["id"]}' AND sensor_type = 'soil_moisture'
              AND measured_at = to_timestamp(moment / 1000.0))""", socket=socket))
