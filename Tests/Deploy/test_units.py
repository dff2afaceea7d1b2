"""The units of deploy/systemd, run by a real systemd."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import unittest

from Tests.Deploy.host import PORTS, Host, Load
from Tests.Deploy.systemd import Systemd
from Tests.Stack.stack import ROOT, Stack, fetch, until

UNITS = ROOT / "deploy/systemd"



def units(**changes):
    """The units of the server, with some of their text replaced, by path."""
    texts = {}
    for file in [*UNITS.glob("terroir.*"), *UNITS.glob("terroir@.*"), *UNITS.glob("terroir*.d/*")]:
        if file.is_file():
            text = file.read_text()
            for old, new in changes.items():
                text = text.replace(old, str(new))
            texts[str(file.relative_to(UNITS))] = text
    return texts


def settings(**variables):
    return "".join(f"{key}='{value}'\n" for key, value in variables.items())


def stop_as_before_a_restore(systemd):
    """Step 1 of a restore in docs/disaster-recovery.md, without Postgres' unit, which does not exist here."""
    step = re.search(r"1\. Stop the server.*`(systemctl stop .*) postgresql@15-main`", (ROOT / "docs/disaster-recovery.md").read_text())[1]
    systemd.ask("bash", "-c", step, check=True)


def start_as_after_a_restore(host, colour):
    """The last step of a restore for two colours, without Postgres."""
    migrate, start = re.search(r"`(scripts/deploy migrate)\s&&\s(systemctl start terroir@)blue`", (ROOT / "docs/disaster-recovery.md").read_text()).groups()
    code, said = host.deploy(migrate.split()[-1], options=())
    assert code == 0, said
    host.systemd.ask(*start.removesuffix("terroir@").split(), f"terroir@{colour}", check=True)
    return said


needs_root = unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "a systemd of its own needs root")


@needs_root
class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Stack("deploy", PORTS)
        cls.addClassCleanup(cls.host.close)
        cls.host.start_stores()
        port = cls.host.port
        # Not below /tmp or /var/tmp, which are private to a service.
        cls.binary = pathlib.Path("/var/lib") / cls.host.folder.name
        cls.addClassCleanup(cls.binary.unlink)
        cls.binary.write_bytes(pathlib.Path(os.environ["TERROIR_BINARY"]).read_bytes())
        cls.binary.chmod(0o755)
        changed = units(**{"/usr/local/bin/terroir": cls.binary, "3000": port["blue"], ":9464": f":{port['blue-metrics']}"})
        cls.fresh = re.sub("[^/]+$", "fresh", cls.host.stores["DATABASE_URL"])
        cls.systemd = Systemd(cls.host.folder / "systemd", changed, {"fresh.env": settings(DATABASE_URL=cls.fresh), "terroir.env": settings(
            DATABASE_URL=cls.host.stores["DATABASE_URL"], REDIS_URL=cls.host.stores["REDIS_URL"], JWT_SECRET="s" * 48,
            PORT=port["blue"], METRICS_PORT=port["blue-metrics"], HOST="127.0.0.1", SHUTDOWN_DRAIN_SECONDS=0)})
        cls.addClassCleanup(cls.systemd.close)

    def get(self, path):
        return fetch(f"http://127.0.0.1:{self.host.port['blue']}{path}", timeout=30)

    def start(self, *units):
        done = self.systemd.ask("systemctl", "start", *units)
        self.assertEqual(done.returncode, 0, done.stderr + self.systemd.ask("journalctl", "--no-pager", "-n", "30").stdout)

    def tearDown(self):
        self.systemd.ask("systemctl", "stop", "terroir.socket", "terroir.service")
        self.systemd.ask("systemctl", "reset-failed")

    def test_start_ends_when_the_service_is_ready(self):
        self.start("terroir.service")
        self.get("/readyz")
        self.assertEqual(self.systemd.show("terroir.service", "StatusErrno"), "0")
        self.assertEqual(self.systemd.show("terroir.service", "SubState"), "running")

    def test_a_connection_starts_it(self):
        self.start("terroir.socket")
        self.assertNotEqual(self.systemd.show("terroir.service", "ActiveState"), "active")
        self.assertIn("version", self.get("/version"))
        until("its readiness", lambda: self.systemd.show("terroir.service", "ActiveState") == "active")
        self.assertIn("http_requests_total", fetch(f"http://127.0.0.1:{self.host.port['blue-metrics']}/metrics"))

    def test_only_this_host_can_connect(self):
        self.start("terroir.socket")
        for port in ("blue", "blue-metrics"):
            with self.assertRaises(ConnectionRefusedError):  # as from elsewhere: it is not the address that nginx connects to
                socket.create_connection(("127.0.0.2", self.host.port[port]), 5).close()

    def test_nobody_starts_it_again_once_it_is_stopped_for_a_restore(self):
        self.start("terroir.socket", "terroir.service")
        stop_as_before_a_restore(self.systemd)
        with self.assertRaises(OSError):
            self.get("/version")
        self.assertEqual({self.systemd.show(unit, "ActiveState") for unit in ("terroir.socket", "terroir.service")}, {"inactive"})

    def test_a_restart_refuses_no_connection(self):
        self.start("terroir.socket", "terroir.service")
        restart = subprocess.Popen([*self.systemd.prefix, "systemctl", "restart", "terroir.service"])
        count = 0
        while restart.poll() is None:
            self.get("/version")
            count += 1
        self.assertGreater(count, 0)

    def change(self, text):
        """Adds to the service's settings until the end of the test."""
        change = self.systemd.folder / "units/terroir.service.d/until-the-end.conf"  # read after terroir.conf
        change.write_text(f"[Service]\n{text}")
        self.addCleanup(lambda: (change.unlink(), self.systemd.ask("systemctl", "daemon-reload")))
        self.systemd.ask("systemctl", "daemon-reload")

    def test_a_start_that_waits_for_a_migration_for_longer_than_a_start_may_take_is_not_ended(self):
        subprocess.run(["psql", "-q", self.host.stores["DATABASE_URL"], "-c", "CREATE DATABASE fresh"], check=True)
        self.change("TimeoutStartSec=10s\nEnvironmentFile=/etc/terroir/fresh.env\n")
        with subprocess.Popen(["psql", "-qAt", self.fresh], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            other.stdin.write("SELECT pg_advisory_lock(x'746572726F6972'::bigint);\n\\echo held\n")  # Migrator.lockKey
            other.stdin.flush()
            until("the lock", lambda: other.stdout.readline() == "held\n")
            self.systemd.ask("systemctl", "start", "--no-block", "terroir.service", check=True)
            until("its start", lambda: self.systemd.show("terroir.service", "ActiveState") == "activating")
            process = self.systemd.show("terroir.service", "MainPID")
            time.sleep(15)  # until TimeoutStartSec has passed, which leaves no trace
            self.assertEqual(self.systemd.show("terroir.service", "ActiveState"), "activating")
            self.assertEqual(self.systemd.show("terroir.service", "MainPID"), process)
            other.stdin.close()
        until("its readiness", lambda: self.systemd.show("terroir.service", "ActiveState") == "active")
        self.assertEqual(self.systemd.show("terroir.service", "NRestarts"), "0")

    def test_one_that_is_stopped_is_started_again_by_the_watchdog(self):
        self.change("WatchdogSec=2s\nTimeoutAbortSec=2s\n")
        self.start("terroir.service")
        first = self.systemd.show("terroir.service", "MainPID")
        self.systemd.ask("kill", "-STOP", first)
        until("another process", lambda: self.systemd.show("terroir.service", "MainPID") not in ("0", first) and self.get("/readyz"), 40)
        self.assertEqual(self.systemd.show("terroir.service", "NRestarts"), "1")

    def test_a_reload_hands_over_to_a_process_that_is_then_the_main_one(self):
        self.start("terroir.service")
        first = self.systemd.show("terroir.service", "MainPID")
        self.systemd.ask("systemctl", "reload", "terroir.service", check=True)
        until("the successor", lambda: self.systemd.show("terroir.service", "MainPID") not in ("0", first))
        until("the end of the first", lambda: self.systemd.ask("kill", "-0", first).returncode)
        self.get("/readyz")
        self.assertEqual(self.systemd.show("terroir.service", "ActiveState"), "active")
        self.assertEqual(self.systemd.show("terroir.service", "NRestarts"), "0")

    def test_the_journal_has_a_json_object_a_line(self):
        self.start("terroir.service")
        lines = self.systemd.ask("journalctl", "--unit", "terroir", "--identifier", "terroir", "--output", "cat", "--no-pager").stdout.splitlines()
        self.assertIn("Serving", [json.loads(line)["message"] for line in lines if line.startswith("{")])

    def test_plain_processes_read_a_file_of_settings_as_systemd_does(self):
        file = self.systemd.folder / "read.env"
        file.write_text("# a comment\n; another\n\nPLAIN=as it stands\n  FIRST=after spaces  \nURL=postgres://u:p$HOME@h/d?a=1&b=$(touch x)`y`\n"
                        "SINGLE='with # and $HOME'\nDOUBLE=\"two words\"\nEMPTY=\nEQUAL=a=b==\nLAST=without an end")
        names = "PLAIN FIRST URL SINGLE DOUBLE EMPTY EQUAL LAST".split()
        shown = f"for name in {' '.join(names)}; do printf '%s=[%s]\n' $name \"${{!name}}\"; done"
        script = self.systemd.folder / "read.sh"
        script.write_text(shown)
        (self.systemd.folder / "units/read.service").write_text(
            f"[Service]\nType=oneshot\nEnvironmentFile={file}\nStandardOutput=file:{file}.out\nExecStart=bash {script}\n")
        self.systemd.ask("systemctl", "daemon-reload", check=True)
        self.systemd.ask("systemctl", "start", "read.service", check=True)
        by_systemd = pathlib.Path(f"{file}.out").read_text()
        by_us = subprocess.run(["bash", "-c", f'. {ROOT}/deploy/colours/binaries; load_environment "$1"; . "$2"', "-", file, script],
                               capture_output=True, text=True, check=True, cwd=self.systemd.folder).stdout
        for_others = subprocess.run([ROOT / "scripts/as-server", "bash", script], env={**os.environ, "DEPLOY_ENVIRONMENT": str(file)},
                                    capture_output=True, text=True, check=True).stdout
        self.assertEqual(for_others, by_systemd)
        self.assertIn("URL=[postgres://u:p$HOME@h/d?a=1&b=$(touch x)`y`]", by_systemd)
        self.assertEqual(by_us, by_systemd)

    def test_a_colour_that_a_reboot_would_not_start_is_not_started(self):
        systemctl = 'systemctl() { echo "$1"; [ "$1" != enable ]; }'
        done = subprocess.run(["bash", "-c", f'parts={ROOT}/deploy/colours; . "$parts/systemd"; {systemctl}; start blue && echo started'],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout.split(), ["stop", "enable"], done.stderr)

    def test_hardening_is_as_asked(self):
        for unit in ("terroir.service", "terroir@.service"):
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", UNITS / unit],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-300:])
            self.assertLessEqual(float(re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)[1]), 2.0)


class SystemdHost(Host):
    """With units as colours."""

    def __init__(self):
        super().__init__()
        self.state = pathlib.Path("/var/lib") / self.folder.name  # a service has a private /tmp
        self.state.mkdir()
        self.binary = self.state / "binary"
        shutil.copy(os.environ["TERROIR_BINARY"], self.binary)
        port = self.port
        self.systemd = Systemd(self.folder / "systemd", units(**{"/var/lib/terroir/deploy": self.state}), {
            "terroir.env": self.settings["DEPLOY_ENVIRONMENT"].read_text() + "HOST='127.0.0.1'\n",
            **{f"{colour}.env": settings(PORT=port[colour], METRICS_PORT=port[f"{colour}-metrics"]) for colour in ("blue", "green")}})
        self.prefix = self.systemd.prefix
        self.settings = {**self.settings, "DEPLOY_RUNTIME": "systemd", "DEPLOY_STATE": self.state, "DEPLOY_ENVIRONMENT": ""}

    def running(self):
        return {colour for colour in ("blue", "green") if self.systemd.show(f"terroir@{colour}.service", "ActiveState") == "active"}

    def close(self):
        self.systemd.close()
        super().close()
        shutil.rmtree(self.state)


@needs_root
class Colours(unittest.TestCase):
    def test_deploys_under_systemd_fail_no_request_and_a_bad_build_is_taken_back(self):
        host = SystemdHost()
        self.addCleanup(host.close)
        host.start_edge()
        code, said = host.deploy(host.release("first"))
        self.assertEqual(code, 0, said)
        with Load(host) as load:
            for name in ("second", "third"):
                code, said = host.deploy(host.release(name))
                self.assertEqual(code, 0, said)
                self.assertEqual((host.served(), len(host.running())), (name, 1))
            code, said = host.deploy(host.release("bad", '[ "$1" = serve ] && exit 3; exec "$binary" "$@"'))
            self.assertEqual(code, 1, said)
        self.assertEqual(load.failures, [])
        self.assertEqual((host.served(), len(host.running())), ("third", 1))
        serving = next(iter(host.running()))
        for colour in ("blue", "green"):  # after a reboot too
            enabled = host.systemd.ask("systemctl", "is-enabled", f"terroir@{colour}.service").stdout.strip()
            self.assertEqual(enabled, "enabled" if colour == serving else "disabled")
        stop_as_before_a_restore(host.systemd)
        self.assertEqual(host.running(), set())
        # A database of an earlier moment lacks migrations, here all of them.
        subprocess.run(["psql", "-XqAtc", "DROP SCHEMA public CASCADE; CREATE SCHEMA public", host.stores["DATABASE_URL"]], check=True, capture_output=True)
        self.assertIn("Migrated: accounts", start_as_after_a_restore(host, serving))
        until("its readiness", lambda: fetch(f"http://{host.address[serving]}/readyz"))

    def test_the_servers_user_migrates_where_there_is_one_unless_there_are_settings_of_an_owner(self):
        host = SystemdHost()
        self.addCleanup(host.close)
        host.start_edge()
        for name, line in (("passwd", "terroir:x:64990:64990::/nonexistent:/usr/sbin/nologin"), ("group", "terroir:x:64990:")):
            file = host.folder / name
            file.write_text(pathlib.Path("/etc", name).read_text() + line + "\n")
            host.systemd.ask("mount", "--bind", file, f"/etc/{name}", check=True)
        host.state.chmod(0o755)
        told = host.state / "told"
        told.touch()
        told.chmod(0o666)
        tell = f'[ "$1" != migrate ] || echo "$* $(id -un) $(id -Gn) $HOME" >>{told}; exec "$binary" "$@"'
        code, said = host.deploy(host.release("first", tell))
        self.assertEqual(code, 0, said)
        self.assertIn("migrate terroir terroir /\n", told.read_text())
        self.assertEqual(host.systemd.ask(ROOT / "scripts/as-server", "id", "-un", check=True).stdout, "terroir\n")
        told.write_text("")
        host.settings["DEPLOY_OWNER_ENVIRONMENT"] = host.folder / "server.env"
        code, said = host.deploy(host.release("second", tell))
        self.assertEqual(code, 0, said)
        self.assertRegex(told.read_text(), "(?m)^migrate root ")
