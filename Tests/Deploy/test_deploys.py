"""Consecutive deploys under load: clients notice nothing."""
import os
import signal
import subprocess
import threading
import time
import unittest

from Tests.Deploy.host import Host, Load
from Tests.Stack.stack import ROOT, fetch, until


class Deploys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host()
        cls.addClassCleanup(cls.host.close)
        cls.host.start_edge()
        code, said = cls.host.deploy(cls.host.release("first"))
        if code:
            raise AssertionError(f"the first deploy failed: {said}")

    def deploys(self, *arguments):
        code, said = self.host.deploy(*arguments)
        self.assertEqual(code, 0, said)
        return said

    def test_ten_deploys_fail_no_request_and_lose_no_reading(self):
        with Load(self.host) as load:
            for number in range(10):
                self.deploys(self.host.release(f"r{number}"))
                self.assertEqual(self.host.served(), f"r{number}")
                self.assertEqual(len(self.host.running()), 1)
        self.assertEqual(load.failures, [])
        for kind, count in load.counts.items():
            self.assertGreater(count, 300, kind)
        print(f"\n{sum(load.counts.values())} requests during ten deploys: {load.counts}")
        self.assertEqual(load.stored(), load.acknowledged)

    def test_a_release_with_one_migration_more_is_deployed(self):
        """The previous release lists its migrations as it did before the newest one existed."""
        self.deploys(self.host.release("fewer", """
if [ "$*" != 'migrate --sql' ]; then exec "$binary" "$@"; fi
last=$("$binary" migrate --sql | grep -c '^-- Migration [0-9]*: ')
"$binary" migrate --sql | sed "/^-- Migration $last: /,\\$d" | sed '$d'
"""))
        self.deploys(self.host.release("more"))
        self.assertEqual(self.host.served(), "more")

    def test_rollback_deploys_the_release_before(self):
        self.deploys(self.host.release("one"))
        self.deploys(self.host.release("two"))
        said = self.deploys("--dry-run", "rollback")
        self.assertRegex(said, r"Would deploy \S+ \(revision one\) as \w+; \w+ serves\.\n\S+ Steps: start, smoke test, switch, watch, retire \w+\.\n$")
        self.assertEqual(self.host.served(), "two")
        with Load(self.host) as load:
            said = self.deploys("rollback")
        self.assertEqual(load.failures, [])
        self.assertEqual(self.host.served(), "one")
        self.assertNotIn("Migrating", said)

    def test_a_release_that_is_deployed_again_does_not_displace_the_release_before(self):
        self.deploys(self.host.release("earlier"))
        for _ in range(2):
            self.deploys(self.host.release("twice"))
        self.deploys("rollback")
        self.assertEqual(self.host.served(), "earlier")

    def test_while_redis_is_away_a_release_is_deployed_all_the_same(self):
        self.deploys(self.host.release("whole"))
        os.kill(self.host.store_pid("redis"), signal.SIGTERM)
        self.addCleanup(self.host.restart_store, "redis")
        url = f"http://{self.host.address[next(iter(self.host.running()))]}/readyz"
        until("the server to go on without Redis", lambda: "degraded" in fetch(url))
        self.deploys(self.host.release("helpful"))
        self.assertEqual(self.host.served(), "helpful")

    def test_a_client_meets_one_release_while_a_canary_has_its_share(self):
        host = self.host
        self.deploys(host.release("usual"))
        deploy = host.begin(host.release("tried"), "--canary=50%", options=("--for", "60s"))
        until("the canary", lambda: (host.state / "switch/canary-50").exists())

        def met(*client):
            """The releases that one client gets, page by page."""
            return {host.curl(f"{host.edge}/version", *client).json()["revision"] for _ in range(3)}

        # Many programs behind one address, and one program at many addresses.
        for clients in ([("-A", f"Browser/{number}") for number in range(16)], [("--interface", f"127.0.0.{number + 1}") for number in range(16)]):
            releases = [met(*client) for client in clients]
            self.assertEqual({len(each) for each in releases}, {1})
            self.assertEqual(set().union(*releases), {"usual", "tried"})
        deploy.kill()
        deploy.wait()
        deploy.stdout.close()
        self.assertIn("undoing it", self.deploys(host.release("usual")))

    def test_where_nobody_may_register_the_operator_does_for_the_smoke_test(self):
        settings = self.host.settings["DEPLOY_ENVIRONMENT"]
        self.addCleanup(settings.write_text, settings.read_text())
        for mode in ("closed", "invite"):
            settings.write_text(settings.read_text() + f"REGISTRATION={mode}\n")
            self.deploys(self.host.release(mode))
            self.deploys(self.host.release(f"{mode}-2"))
            self.deploys("rollback")
            self.assertEqual(self.host.served(), mode)
        users = subprocess.run(["psql", "-XqAtc", "SELECT count(*) FROM users WHERE email LIKE 'smoke-%'", self.host.stores["DATABASE_URL"]],
                               check=True, capture_output=True, text=True).stdout
        self.assertEqual(users, "0\n")
        # Having no way to make an account does not fail the smoke test.
        url = f"http://{self.host.address[next(iter(self.host.running()))]}"
        self.assertIn("It works without an account.", subprocess.run([ROOT / "scripts/smoke", url], check=True, capture_output=True, text=True).stdout)
        failed = subprocess.run([ROOT / "scripts/smoke", url], env={**os.environ, "SMOKE_CREATE": "sh -c 'echo no room; exit 1'"}, capture_output=True, text=True)
        self.assertEqual((failed.returncode, failed.stderr), (1, "smoke: making an account: no room\n"))

    def test_releases_are_kept_where_the_state_folder_is_reached_by_a_link(self):
        link = self.host.folder / "link"
        link.symlink_to(self.host.folder)
        self.addCleanup(self.host.settings.update, DEPLOY_STATE=self.host.state)
        self.host.settings["DEPLOY_STATE"] = f"{link}/{self.host.state.name}/"
        self.deploys(self.host.release("older"))
        self.deploys(self.host.release("newer"))
        self.assertEqual(len(list((self.host.state / "releases").iterdir())), 2)
        self.deploys("rollback")
        self.assertEqual(self.host.served(), "older")

    def test_what_keeps_the_old_one_from_being_retired_is_told_and_the_next_deploy_does_it(self):
        self.deploys(self.host.release("ending"))
        previous = self.host.state / "previous"
        previous.unlink(missing_ok=True)
        previous.mkdir()  # like a full disk, this keeps the file from being written
        code, said = self.host.deploy(self.host.release("beginning"))
        self.assertEqual(code, 1, said)
        self.assertRegex(said, r"(\w+) serves, but (?!\1)\w+ was not retired: a step failed.*The next deploy will retire it\.")
        self.assertNotIn("Not deployed", said)
        self.assertEqual((self.host.served(), len(self.host.running())), ("beginning", 2))
        previous.rmdir()
        self.assertIn("finishing it", self.deploys(self.host.release("beginning")))
        self.assertEqual(len(self.host.running()), 1)

    def test_status_says_which_colour_serves_what_since_when(self):
        self.deploys(self.host.release("shown"))
        code, said = self.host.deploy("status", options=())
        self.assertEqual(code, 0)
        self.assertRegex(said, r"^(blue|green) serves since 20\d\d-\d\d-\d\dT[\d:]+Z: \S+ \(revision shown\)\n(blue|green) is not running: /")
        self.assertRegex(said, r"last deploy: \S+, complete\n$")

    def test_a_deploy_that_fails_before_the_switch_does_not_change_since_when_a_colour_serves(self):
        self.deploys(self.host.release("steady"))
        before = self.host.deploy("status", options=())[1].splitlines()[0]
        until("another second", lambda: time.strftime("%FT%TZ", time.gmtime()) > self.host.journal()[-1][0])
        code, said = self.host.deploy("--backup-command=false", self.host.release("hasty"))
        self.assertEqual(code, 1, said)
        self.assertEqual(self.host.deploy("status", options=())[1].splitlines()[0], before)

    def test_prometheus_is_told_what_runs(self):
        self.deploys(self.host.release("scraped"))
        colour = next(iter(self.host.running()))
        text = (self.host.state / "targets/api.json").read_text()
        self.assertEqual(text, f'[{{"targets": ["127.0.0.1:{self.host.port[colour + "-metrics"]}"]}}]\n')

    def test_the_webhook_is_told(self):
        self.deploys(self.host.release("told"))
        until("the notice", lambda: any("deployed" in text and "revision told" in text for text in self.host.notices.texts))

    def test_a_deploy_whose_terminal_is_lost_is_undone_and_the_webhook_is_told(self):
        self.deploys(self.host.release("kept"))
        lost = self.host.begin(self.host.release("lost"))
        until("the watch", lambda: self.host.journal()[-1][2] == "watch", 60)
        lost.stdout.close()
        lost.send_signal(signal.SIGHUP)
        self.assertEqual(lost.wait(60), 1)
        until("the notice", lambda: any("not deployed: it was interrupted" in text for text in self.host.notices.texts))
        self.assertEqual((self.host.served(), len(self.host.running()), self.host.journal()[-1][2]), ("kept", 1, "failed"))

    def test_one_deploy_at_a_time(self):
        first = self.host.begin(self.host.release("alone"))
        until("the first deploy", lambda: self.host.journal()[-1][2] != "complete")
        code, said = self.host.deploy(self.host.release("crowd"))
        self.assertEqual((code, said), (75, "deploy: another deploy is running\n"))
        self.assertEqual(first.wait(60), 0)
        first.stdout.close()
        self.assertEqual(self.host.served(), "alone")

    def test_a_dry_run_does_nothing(self):
        before = (self.host.served(), self.host.journal())
        code, said = self.host.deploy("--dry-run", self.host.release("dry"))
        self.assertEqual(code, 0, said)
        self.assertIn("revision dry", said)
        self.assertEqual((self.host.served(), self.host.journal()), before)
        said = subprocess.run([ROOT / "scripts/smoke", "--dry-run", "http://127.0.0.1:9"], check=True, capture_output=True, text=True).stdout
        self.assertIn("Would register two people at http://127.0.0.1:9", said)

    def test_a_binary_that_the_disk_has_no_room_for_leaves_nothing_there_and_is_told(self):
        state = self.host.folder / "small"
        state.mkdir()
        if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", state], capture_output=True).returncode:
            self.skipTest("only root may mount a file system to fill")
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=True)
        self.addCleanup(self.host.settings.update, DEPLOY_STATE=self.host.state)
        self.host.settings["DEPLOY_STATE"] = state
        code, said = self.host.deploy(self.host.binary)
        self.assertEqual(code, 1, said)
        self.assertIn("No space left on device", said)
        self.assertIn(f"Not deployed: {self.host.binary} could not be stored.", said)
        self.assertEqual(list((state / "releases").iterdir()), [])
        until("the notice", lambda: any("could not be stored" in text for text in self.host.notices.texts))

    def test_a_wrong_command_line_is_64(self):
        for arguments in ((), ("--canary", "7%", "x"), ("--for",), ("--for=10", "x"), ("--max-error-ratio=2", "x"), ("--min-requests=0", "x"), ("--nonsense", "x"), ("x", "y"), ("/nonsense",), ("/etc/passwd",)):
            code, said = self.host.deploy(*arguments, options=())
            self.assertEqual(code, 64, said)
        code, said = self.host.deploy("--help", options=())
        self.assertEqual(code, 0)
        self.assertIn("usage: scripts/deploy", said)
        self.assertTrue(said.rstrip().endswith("docs/operations.md."))

    def test_others_may_enter_what_they_need_whatever_the_umask(self):
        """nginx's workers look for the switch, the servers' user runs the releases, Prometheus reads the targets."""
        host, state = self.host, self.host.folder / "closed"
        self.addCleanup(host.settings.update, DEPLOY_STATE=host.state)
        self.addCleanup(setattr, host, "prefix", host.prefix)
        host.settings["DEPLOY_STATE"], host.prefix = state, ["bash", "-c", 'umask 077; exec "$@"', "-"]
        for folder in ("releases", "switch"):  # as left by a release that did not set their modes
            (state / folder).mkdir(mode=0o700, parents=True)
        # The colours of the host are taken: the deploy gets as far as the stored release, and fails.
        code, said = host.deploy("--no-backup", host.release("closed", '[ "$1" = version ] && exec "$binary" "$@"; exit 1'))
        self.assertEqual(code, 1, said)
        release, = (state / "releases").iterdir()
        for path in (state, state / "switch", state / "targets", state / "releases", release, release / "terroir"):
            self.assertEqual(path.stat().st_mode & 0o005, 0o005, path)
        edge = host.folder / "closed-edge"
        subprocess.run([*host.prefix, ROOT / "scripts/nginx-config", edge, *map(str, range(1, 4)), "127.0.0.1:1", "127.0.0.1:2"], check=True)
        self.addCleanup((edge / "watcher").unlink)  # ends what waits for a new certificate
        self.assertEqual(edge.stat().st_mode & 0o005, 0o005)
        self.assertEqual((edge / "certificates/privkey.pem").stat().st_mode & 0o077, 0)

    def test_event_streams_move_over(self):
        self.deploys(self.host.release("before"))
        with Load(self.host) as load:
            events = Events(load)
            until("the first event", lambda: events.ids)
            self.deploys(self.host.release("after"))
            until("a stream of the new release", lambda: events.connections > 1)
            seen = len(events.ids)
            until("events of the new release", lambda: len(events.ids) > seen + 20)
            acknowledged = load.acknowledged
            until("all events", lambda: len(events.ids) >= acknowledged - events.skipped)
            events.stop()
        self.assertEqual(len(events.ids), len(set(events.ids)))


class Events:
    """A client of a garden's events that reconnects with its last event id, as browsers do."""

    def __init__(self, load):
        self.load, self.ids, self.connections, self.skipped = load, [], 0, load.acknowledged
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.stopping.is_set():
            connection = self.load.connect()
            self.connections += 1
            connection.request("GET", f"/api/gardens/{self.load.garden}/events", headers={"Last-Event-ID": self.ids[-1]} if self.ids else {})
            answer = connection.getresponse()
            for line in iter(answer.readline, b""):
                if line.startswith(b"id:"):  # a bare id is the stream's position, not an event
                    last = line[3:].strip().decode()
                if line.startswith(b"data:"):
                    self.ids.append(last)
                if self.stopping.is_set():
                    break
            connection.close()

    def stop(self):
        self.stopping.set()
        self.thread.join(20)
