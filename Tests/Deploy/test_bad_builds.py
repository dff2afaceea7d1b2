"""Releases that are bad in every way: each is rolled back by itself, and clients of the old one notice nothing."""
import json
import re
import sys
import time
import unittest

from Tests.Deploy.host import WATCH, Host, Load
from Tests.Stack.stack import ROOT, until

HERE = ROOT / "Tests/Deploy"
# The moment from which a fault can be measured.
LIMIT_SECONDS = 30


class BadBuilds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host()
        cls.addClassCleanup(cls.host.close)
        cls.host.start_edge()
        code, said = cls.host.deploy(cls.host.release("good"))
        if code:
            raise AssertionError(f"the first deploy failed: {said}")

    def refused(self, body, because, *options):
        """Deploys a bad build under load, and checks that it is rolled back for a reason; returns the load, the time of
        the switch, if there was one, and the output."""
        host = self.host
        before, lines = host.running(), len(host.journal())
        with Load(host) as load:
            until("load", lambda: all(load.counts.values()))
            code, said = host.deploy(host.release("bad", body), options=(*WATCH, *options))
            ended = time.time()
            time.sleep(0.5)  # some more requests to the old release
        self.assertEqual(code, 1, said)
        self.assertRegex(said, because)
        self.assertEqual(host.served(), "good")
        self.assertEqual(host.running(), before, said)
        self.assertEqual(sorted(path.name for path in (host.state / "switch").iterdir()), ["green"] if before == {"green"} else [])
        stages = [line[2] for line in host.journal()[lines:]]
        self.assertEqual(stages[-2:], ["undo", "failed"], stages)
        until("the notice", lambda: any("not deployed" in text and re.search(because, text) for text in host.notices.texts))
        moments = {line[2]: line[0] for line in host.journal()[lines:]}
        for stage in ("canary", "switch"):
            if stage in moments:
                seconds = self.seconds(moments["undo"]) - self.seconds(moments[stage])
                self.assertLessEqual(seconds, LIMIT_SECONDS, f"from {stage}")
                print(f"\n{self._testMethodName}: taken back {seconds} s after the first requests")
                break
        return load

    @staticmethod
    def seconds(moment):
        return time.mktime(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))

    def others(self, load):
        """The failed requests of the old release; there must be none."""
        old, new = (self.host.address[colour] for colour in sorted(("blue", "green"), key=lambda c: c not in self.host.running()))
        failed = [line for line in map(json.loads, self.host.log("edge-log").splitlines())
                  if line["message"] == "Request completed" and int(line["statusCode"]) >= 500 and not line["upstream"].startswith(new)]
        return failed

    # --- found before a single request ---

    def test_one_that_crashes_at_start(self):
        load = self.refused('[ "$1" = serve ] && exit 3; exec "$binary" "$@"', "exited before /startupz answered 200")
        self.assertEqual(load.failures, [])

    def test_one_that_never_becomes_ready(self):
        load = self.refused('[ "$1" != serve ] || export DATABASE_URL=postgres://terroir@127.0.0.1:9/x; exec "$binary" "$@"',
                            r"/startupz did not answer 200 within 8 s")
        self.assertEqual(load.failures, [])

    def test_one_that_cannot_use_redis_which_the_old_one_can(self):
        """Redis refuses its credentials, or it looks for Redis where none is."""
        load = self.refused('[ "$1" != serve ] || export REDIS_URL="${REDIS_URL/@/x@}"; exec "$binary" "$@"', r"/startupz did not answer 200 within 8 s")
        self.assertEqual(load.failures, [])
        load = self.refused('[ "$1" != serve ] || export REDIS_URL=redis://127.0.0.1:9; exec "$binary" "$@"', r"the (\w+) server cannot use Redis, which (?!\1)\w+ can")
        self.assertEqual(load.failures, [])

    def test_one_of_another_version_than_it_says(self):
        load = self.refused('[ "$1" != version ] || export REVISION=promised; exec "$binary" "$@"', r"is 0\.1\.0 \(revision bad\), not 0\.1\.0 \(revision promised\)")
        self.assertEqual(load.failures, [])

    def test_one_that_cannot_be_used(self):
        load = self.refused('export RATE_LIMIT_REGISTRATION=1/3600; exec "$binary" "$@"', "smoke: registering: POST /api/users answers 429")
        self.assertEqual(load.failures, [])

    def test_one_whose_migration_takes_away_what_the_old_one_uses(self):
        body = ('case $* in "migrate --"*) "$binary" "$@"; printf -- "-- Migration 999: gone\\nALTER TABLE gardens DROP COLUMN name;\\n"; exit ;; esac\n'
                'exec "$binary" "$@"')
        load = self.refused(body, r"migration 999 \(gone\) drops what the previous release may use: ALTER TABLE GARDENS DROP COLUMN NAME")
        self.assertEqual(load.failures, [])
        self.assertNotIn("migrate", [line[2] for line in self.host.journal()[-4:]])

    def test_one_whose_migration_fails(self):
        load = self.refused('[ "$*" != migrate ] || exit 1; exec "$binary" "$@"', "the migration failed")
        self.assertEqual(load.failures, [])

    def test_no_backup_no_deploy(self):
        load = self.refused('exec "$binary" "$@"', "the backup failed; --no-backup deploys without one", "--backup-command", "exit 3")
        self.assertEqual(load.failures, [])

    def test_while_another_backup_runs_it_says_to_wait(self):
        load = self.refused('exec "$binary" "$@"', "another backup or restore is running: deploy again once it has finished", "--backup-command", "exit 75")
        self.assertEqual(load.failures, [])

    def test_where_no_backups_are_set_up_it_says_what_to_do(self):
        """The host's own backup command fails: it finds no settings."""
        before = dict(self.host.settings)
        self.addCleanup(self.host.settings.update, before)
        self.host.settings.update(DEPLOY_BACKUP="", BACKUP_SETTINGS="/nonexistent")
        load = self.refused('exec "$binary" "$@"', r"backups are not set up here: see docs/disaster-recovery.md, or deploy without one \(--no-backup\)")
        self.assertEqual(load.failures, [])

    # --- found by watching ---

    def faulty(self, share):
        port = self.host.port
        return (f'[ "$1" = serve ] || exec "$binary" "$@"\n'
                f'{sys.executable} {HERE}/faulty_front.py "$PORT" "$METRICS_PORT" {port["spare"]} {port["spare-metrics"]} {share} & front=$!\n'
                f'PORT={port["spare"]} METRICS_PORT={port["spare-metrics"]} "$binary" serve & server=$!\n'
                "trap 'kill $server; wait $server; kill $front; exit 0' TERM\nwait $server; kill $front")

    def test_one_that_answers_errors(self):
        load = self.refused(self.faulty(0.05), r"Worse: \d+\.\d\d % of the requests failed, 1\.00 % may")
        self.assertEqual({failure[2:] for failure in load.failures}, {(500, b"broken")})
        self.assertEqual(self.others(load), [])

    def test_a_canary_that_answers_errors(self):
        load = self.refused(self.faulty(0.05), r"Worse: \d+\.\d\d % of the requests failed, 1\.00 % may", "--canary=25%")
        self.assertLessEqual({failure[2:] for failure in load.failures}, {(500, b"broken")})
        self.assertLess(len(load.failures), sum(load.counts.values()) * 0.05)
        self.assertEqual(self.others(load), [])
        self.assertNotIn("switch", [line[2] for line in self.host.journal()[-4:]])

    def test_one_that_is_slow(self):
        port = self.host.port["spare"]
        database = re.search(r":(\d+)/terroir$", self.host.stores["DATABASE_URL"])[1]
        body = (f'[ "$1" = serve ] || exec "$binary" "$@"\n'
                f'{sys.executable} {HERE}/slow_line.py {port} {database} 0.3 & line=$!\n'
                f'export DATABASE_URL="${{DATABASE_URL/:{database}/:{port}}}" HEALTH_TIMEOUT_MILLISECONDS=5000 DATABASE_CONNECT_TIMEOUT_MILLISECONDS=20000 CACHE=off\n'
                '"$binary" serve & server=$!\n'
                "trap 'kill $server; wait $server; kill $line; exit 0' TERM\nwait $server; kill $line")
        self.host.settings["DEPLOY_START_SECONDS"] = "30"
        self.addCleanup(self.host.settings.update, DEPLOY_START_SECONDS="8")
        load = self.refused(body, r"Worse: P95 was \d+ ms", "--max-p95=200ms")
        self.assertEqual(load.failures, [])

    def test_one_that_is_killed_for_its_memory(self):
        """Killed as by the kernel for a memory leak: at once, amid its requests."""
        body = ('[ "$1" = serve ] || exec "$binary" "$@"\n'
                '(until tail -n 1 "$(dirname "$0")/../../journal" | grep -q " watch "; do sleep 0.1; done\n'
                'sleep 1; kill -KILL $$) & exec "$binary" "$@"')
        load = self.refused(body, "Worse: the server was not ready twice in a row")
        # Requests in flight are lost with it; later ones went to the old release.
        self.assertLessEqual(len(load.failures), len(load.threads), load.failures)
        self.assertEqual(self.others(load), [])
