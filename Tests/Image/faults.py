"""Breaks each part of the stack in turn under load, and writes the table of docs/operations.md: what clients saw, which
alert fired and when, and what healed it and how fast."""
import collections
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from Tests.Image import project
from Tests.Image.project import ROOT, compose, container, curl, docker, inspect, post, until

# The longest wait for an alert of a fault that does not heal by itself.
LONGEST_SECONDS = 150
# Faults that clients notice for longer than this need an alert; shorter ones may only be counted: a probe every fifteen
# seconds has to fail for a minute.
BRIEF_SECONDS = 90
ALERT_WITHIN_SECONDS = 120
# Alerts that a healthy stack may raise on a busy host.
OF_THE_HOST = {
    "Watchdog", "HostMemoryLow", "ProcessorSaturated", "ClockSkew", "HighResponseTime", "ResponseTimeAboveTarget", "EventLoopLag",
    "BackupTooOld", "SensorSilent", "OutOfMemoryKill",
}

# Alerts over minutes or hours, which earlier faults raise as well, and one that notifies nobody: neither awaited nor in
# the table.
OF_THE_PAST = {"HighErrorRate", "ErrorBudgetBurnFast", "ErrorBudgetBurnSlow", "Restarting", "HousekeepingFailing", "WalArchiveFailing", "ServersDown"}

Fault = collections.namedtuple("Fault", "name inject healer heal")


class Client(threading.Thread):
    """Sends requests continuously, as a client does, and records each answer: (time, status), 0 for none."""

    def __init__(self, *curl_arguments, path):
        super().__init__(daemon=True)
        self.arguments, self.path, self.answers, self.ended = curl_arguments, path, [], threading.Event()

    def body(self):
        return ()

    def run(self):
        while not self.ended.wait(0.2):
            self.answers.append((time.monotonic(), curl(self.path, *self.arguments, *self.body(), seconds=5)[0]))

    def failures(self, since):
        """Statuses of failures, the time of the first, and the seconds from there to the first success after the
        last."""
        answers = [answer for answer in self.answers if answer[0] >= since]
        failed = [moment for moment, status in answers if status != 200]
        if not failed:
            return collections.Counter(), since, 0
        after = [moment for moment, status in answers if status == 200 and moment > failed[-1]]
        return collections.Counter(status for _, status in answers if status != 200), failed[0], (after[0] if after else time.monotonic()) - failed[0]

    def succeeds(self, seconds):
        """Whether every answer of the last seconds was a success."""
        recent = [status for moment, status in self.answers if moment > time.monotonic() - seconds]
        return len(recent) > 1 and set(recent) == {200}


class Device(Client):
    """A probe that measures something new each time."""
    accepted = 0
    moment = time.time() - 86_400

    def body(self):
        self.moment += 0.01
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.moment)) + f".{int(self.moment * 1000) % 1000:03d}Z"
        return ("-H", "Content-Type: application/json", "-d", json.dumps({"readings": [{"sensorType": "rain", "value": 1, "measuredAt": stamp}]}))

    def acknowledged(self):
        return sum(1 for _, status in self.answers if status == 200)


def signal_process(service, number, command=None):
    """Signals a container's first process, or the one whose command line contains the text, from outside."""
    rows = docker("top", container(service), "-eo", "pid,args").splitlines()[1:]
    row = next(row for row in rows if not command or command in row and "tini" not in row)
    os.kill(int(row.split()[0]), number)


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        project.make(COMPOSE_PROFILES="monitoring", COMPOSE_FILE="docker-compose.yml:disk.yml")
        cls.addClassCleanup(project.remove)
        cls.make_disk()
        project.down()
        project.up()
        until("the timetable's own backups", project.timetable_rests, 300)
        login = {"email": "faults@example.com", "password": "a long enough password"}
        post("/api/users", {**login, "displayName": "Faults"})
        token = post("/api/sessions", login)[1]["accessToken"]
        garden = post("/api/gardens", {"name": "Under load", "public": True}, token)[1]["id"]
        cls.device = post(f"/api/gardens/{garden}/devices", {"name": "probe"}, token)[1]
        cls.reader = Client(path=f"/api/gardens/{garden}")
        cls.writer = Device("-H", f"Authorization: Bearer {cls.device['key']}", path=f"/api/devices/{cls.device['id']}/readings")
        for client in (cls.reader, cls.writer):
            client.start()
            cls.addClassCleanup(client.join)
            cls.addClassCleanup(client.ended.set)
        cls.rows = {}

    @classmethod
    def make_disk(cls):
        """A small disk for Postgres' volume and the ballast, which can be filled."""
        cls.disk = pathlib.Path(tempfile.mkdtemp(prefix="terroir-disk-"))
        cls.addClassCleanup(cls.disk.rmdir)
        image = cls.disk.with_suffix(".img")
        with open(image, "wb") as file:
            file.truncate(1 << 30)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, cls.disk], check=True)
        cls.addClassCleanup(image.unlink)
        cls.addClassCleanup(subprocess.run, ["umount", cls.disk], check=True)
        for folder in (cls.disk, cls.disk / "postgres", cls.disk / "ballast"):
            folder.mkdir(exist_ok=True)
            os.chown(folder, 999, 999)
        # The engine mounts such a volume only while a container uses it: Prometheus, which stays, has the ballast's
        # too.
        (project.folder / "disk.yml").write_text('services: { prometheus: { volumes: ["ballast:/ballast:ro"] } }\nvolumes:\n' + "".join(
            f"  {name}: {{ driver_opts: {{ type: none, o: bind, device: {cls.disk / name} }} }}\n" for name in ("postgres", "ballast")))

    # --- the faults ---

    def engine(self):
        if subprocess.run([ROOT / "scripts/engine", "restart"], capture_output=True, check=False).returncode == 69:
            self.skipTest("the engine is not ours to restart")

    def fill_disk(self):
        """Fills the disk as Postgres itself would: the space reserved for root stays free."""
        free = os.statvfs(self.disk)
        for command in (["fallocate", "--length", str(free.f_bavail * free.f_frsize), self.disk / "filler"], ["dd", "if=/dev/zero", f"of={self.disk / 'rest'}", "bs=4k"]):
            subprocess.run(command, user=999, group=999, extra_groups=[], capture_output=True, check=False)
        # Uses up the space reserved by the WAL soon.
        compose("exec", "-T", "postgres", "sql", "-c", "CREATE TABLE filler AS SELECT repeat(md5(n::text), 100) FROM generate_series(1, 200000) n", check=False)

    def give_ballast_back(self):
        section = (project.folder / "docs/runbook.md").read_text().split("### DiskFilling")[1]
        written = re.search(r"```sh\n(.*?)```", section, re.S).group(1)
        subprocess.run(["bash", "-c", written.replace("sudo ", "")], cwd=project.folder, env=project.environment, check=True, capture_output=True)

    def lose_names(self):
        """The name service is gone, and all connections to the stores are cut."""
        path = pathlib.Path(inspect(container("api"))["ResolvConfPath"])
        self.names = (path, path.read_text())
        path.write_text("nameserver 192.0.2.1\n")
        compose("exec", "-T", "postgres", "sql", "-c", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'terroir_api'")
        compose("exec", "-T", "redis", "sh", "-c", "REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli CLIENT KILL USER terroir_api")

    def network(self):
        return f"{project.SETTINGS['COMPOSE_PROJECT_NAME']}_internal"

    def faults(self):
        up = "`docker compose up --detach --wait`"
        again = project.up
        itself = "the engine starts it again"
        yield Fault("The server dies (SIGKILL)", lambda: signal_process("api", signal.SIGKILL, "terroir serve"), itself, None)
        yield Fault("The server is stopped (SIGSTOP)", lambda: signal_process("api", signal.SIGSTOP, "terroir serve"), "its health check ends it", None)
        yield Fault("`docker kill` of the server", lambda: docker("kill", container("api")), up, again)
        yield Fault("nginx dies", lambda: signal_process("nginx", signal.SIGKILL), itself, None)
        yield Fault("nginx is stopped by hand", lambda: compose("stop", "nginx"), up, again)
        yield Fault("Postgres dies", lambda: signal_process("postgres", signal.SIGKILL), itself, None)
        yield Fault("Postgres is stopped by hand", lambda: compose("stop", "postgres"), up, again)
        yield Fault("Postgres hangs", lambda: compose("pause", "postgres"), "`docker compose unpause postgres`", lambda: compose("unpause", "postgres"))
        yield Fault("Redis dies", lambda: signal_process("redis", signal.SIGKILL), itself, None)
        yield Fault("Redis hangs", lambda: compose("pause", "redis"), "`docker compose unpause redis`", lambda: compose("unpause", "redis"))
        yield Fault("Postgres is cut off from the network", lambda: docker("network", "disconnect", self.network(), container("postgres")),
                    "the network's return", lambda: docker("network", "connect", "--alias", "postgres", self.network(), container("postgres")))
        yield Fault("The name service is gone and all connections are cut", self.lose_names, "the server, by the addresses that worked last", None)
        yield Fault("Postgres' disk is full", self.fill_disk, "the ballast given back ([runbook](runbook.md#diskfilling))", self.give_ballast_back)
        yield Fault("Prometheus dies", lambda: signal_process("prometheus", signal.SIGKILL), itself, None)
        yield Fault("The engine restarts", self.engine, itself, None)

    # --- their effects ---

    def alerts(self):
        """Alerts of a fault, as (name, whether it fires already, since when); nothing while Prometheus itself is
        away."""
        try:
            with urllib.request.urlopen("http://127.0.0.1:9090/api/v1/alerts", timeout=3) as answer:
                alerts = json.load(answer)["data"]["alerts"]
        except OSError:
            return []
        return [(alert["labels"]["alertname"], alert["state"] == "firing", datetime.datetime.fromisoformat(alert["activeAt"][:19] + "+00:00").timestamp())
                for alert in alerts if alert["labels"]["alertname"] not in OF_THE_HOST | OF_THE_PAST
                and alert["labels"].get("mountpoint") in (None, str(self.disk))]  # the host's own disk is not ours

    def is_calm(self):
        """Whether everything is served and no alert fires or is pending from an earlier fault."""
        return self.served() and not any(fires or since > time.time() - LONGEST_SECONDS for _, fires, since in self.alerts())

    def served(self, seconds=3):
        return self.reader.succeeds(seconds) and self.writer.succeeds(seconds)

    def try_fault(self, fault):
        until("calm before the fault", self.is_calm, 600)
        began, began_at, alerts = time.monotonic(), time.time(), {}

        def watch():
            for name, fires, since in self.alerts():
                if fires and since >= int(began_at):
                    alerts.setdefault(name, time.monotonic() - began)

        fault.inject()
        healed_in = None
        if fault.heal:
            end = began + LONGEST_SECONDS
            while time.monotonic() < end and not alerts:
                watch()
                time.sleep(1)
            healing = time.monotonic()
            fault.heal()
            until(f"service after {fault.name}", self.served, 180)
            healed_in = max(0, time.monotonic() - healing - 3)
        else:
            # Long enough for alerts with a one-minute `for`.
            end = began + 20
            while time.monotonic() < end or not self.served():
                self.assertLess(time.monotonic(), began + 240, f"{fault.name} does not heal")
                watch()
                time.sleep(1)
        felt, unfelt, seconds = collections.Counter(), 0, 0
        for client in (self.reader, self.writer):
            statuses, first, lasted = client.failures(began)
            felt += statuses
            if lasted > seconds:  # stopping something takes time too
                unfelt, seconds = first - began, lasted
        if healed_in is None:
            healed_in = seconds
        return felt, unfelt, seconds, alerts, healed_in

    def test_every_fault(self):
        wanted = os.environ.get("FAULT", "")  # part of a name, to try some alone
        for fault in self.faults():
            if not re.search(wanted, fault.name):
                continue
            with self.subTest(fault=fault.name):
                felt, unfelt, seconds, alerts, healed_in = self.try_fault(fault)
                self.rows[fault.name] = self.row(fault, felt, seconds, alerts, healed_in)
                print(self.rows[fault.name], flush=True)
                self.write()
                if seconds > BRIEF_SECONDS:
                    self.assertTrue(alerts and min(alerts.values()) - unfelt <= ALERT_WITHIN_SECONDS, f"felt for {seconds:.0f} s, alerts {alerts}")
                if not felt and not fault.heal:
                    self.assertFalse(alerts)
                if hasattr(self, "names"):
                    self.names[0].write_text(self.names[1])
                    del self.names
                for rest in ("filler", "rest"):
                    (self.disk / rest).unlink(missing_ok=True)
        stored = compose("exec", "-T", "postgres", "sql", "-At", "-c", f"SELECT count(*) FROM readings WHERE device_id = '{self.device['id']}'")
        self.assertGreaterEqual(int(stored), self.writer.acknowledged())
        print(f"{self.writer.acknowledged()} readings were acknowledged, {stored} are stored")

    @staticmethod
    def row(fault, felt, seconds, alerts, healed_in):
        def what(status):
            return "no answer" if status == 0 else str(status)
        seen = "nothing" if not felt else f"{', '.join(what(status) for status in sorted(felt))} for {seconds:.0f} s"
        first = sorted(alerts.items(), key=lambda alert: alert[1])
        told = ", ".join(f"{name} ({moment:.0f} s)" for name, moment in first) or "none"
        return f"| {fault.name} | {seen} | {told} | {fault.healer} | {healed_in:.0f} s |"

    def write(self):
        """Replaces the rows of the faults that were tried; the others stay as they are."""
        path = ROOT / "docs/operations.md"
        begin, end = "<!-- faults: make fault-test -->\n", "<!-- end of faults -->"
        head, rest = path.read_text().split(begin)
        table, tail = rest.split(end)
        rows = {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines()[2:]} | self.rows
        known = [rows[fault.name] for fault in self.faults() if fault.name in rows]
        path.write_text(head + begin + "\n".join(["| Fault | Clients see | Alert, after | Healed by | in |", "|---|---|---|---|---|", *known]) + "\n" + end + tail)
