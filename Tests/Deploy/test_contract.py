"""Migrations that remove something: refused while the serving release may need it, then run by --contract, which
switches nothing, and skipped by later deploys."""
import signal
import subprocess
import unittest

from Tests.Deploy.host import Host, Load
from Tests.Stack.stack import until

# A release that removes a table that no release needs any more.
TAKES_AWAY = """
said() { echo '-- Migration 999: outlived'; echo 'DROP TABLE outlived;'; }
there() { [ -n "$(psql -XqAtc "SELECT to_regclass('outlived')" "$DATABASE_URL")" ]; }
case $* in
  migrate) "$binary" migrate && psql -Xqc 'DROP TABLE IF EXISTS outlived' "$DATABASE_URL" ;;
  'migrate --sql') "$binary" "$@" && said ;;
  'migrate --dry-run') "$binary" "$@" && if there; then said; fi ;;
  *) exec "$binary" "$@" ;;
esac
"""


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host()
        cls.addClassCleanup(cls.host.close)
        cls.host.start_edge()

    def setUp(self):
        self.deploy(self.host.release("good"))
        self.sql("CREATE TABLE IF NOT EXISTS outlived ()")

    def sql(self, text):
        return subprocess.run(["psql", "-XqAtc", text, self.host.stores["DATABASE_URL"]], check=True, capture_output=True, text=True).stdout.strip()

    def is_there(self):
        return self.sql("SELECT to_regclass('outlived')") != ""

    def deploy(self, *arguments, expected=0):
        code, said = self.host.deploy(*arguments)
        self.assertEqual(code, expected, said)
        return said

    def test_what_takes_away_is_refused_then_run_and_then_deployed(self):
        host, release = self.host, self.host.release("without", TAKES_AWAY)
        with Load(host) as load:
            before = host.running()
            self.assertIn("drops what the previous release may use", self.deploy(release, expected=1))
            self.assertIn("Steps: backup, migration, smoke test.", self.deploy("--dry-run", "--contract", release))
            self.assertTrue(self.is_there())
            self.assertIn(f"migrated; {next(iter(before))} keeps serving", self.deploy("--contract", release))
            self.assertFalse(self.is_there())
            self.assertEqual((host.served(), host.running()), ("good", before))
            self.assertRegex(self.deploy("status"), r"last deploy: \S+, complete\n$")
            self.assertNotIn("undoing", self.deploy(release))
            self.assertEqual(host.served(), "without")
        self.assertEqual(load.failures, [])
        until("the notice", lambda: any("migrated with" in text and "without" in text for text in host.notices.texts))

    def test_no_rollback_goes_behind_it(self):
        self.deploy(self.host.release("better"))
        self.assertIn("revision good", self.deploy("--dry-run", "rollback"))
        self.deploy("--contract", self.host.release("without", TAKES_AWAY))
        self.assertIn("there is no release to roll back to", self.deploy("rollback", expected=64))
        self.deploy(self.host.release("without", TAKES_AWAY))
        self.assertIn("revision better", self.deploy("--dry-run", "rollback"))

    def test_one_that_the_serving_release_does_not_live_with_says_that_it_migrated(self):
        host, before = self.host, self.host.running()
        self.addCleanup(self.sql, "ALTER TABLE gone RENAME TO gardens")
        release = host.release("rash", '[ "$*" = migrate ] || exec "$binary" "$@"; psql -Xqc "ALTER TABLE gardens RENAME TO gone" "$DATABASE_URL"')
        said = self.deploy("--contract", release, expected=1)
        self.assertRegex(said, r"Migrated, but (blue|green) does not work with it: smoke: ")
        self.assertNotIn("Not deployed", said)
        self.assertEqual(host.running(), before)
        until("the notice", lambda: any("migrated, but" in text for text in host.notices.texts))

    def test_one_that_fails_says_so_and_leaves_what_serves(self):
        host, before = self.host, self.host.running()
        with Load(host) as load:
            said = self.deploy("--contract", host.release("failing", '[ "$*" != migrate ] || exit 1; exec "$binary" "$@"'), expected=1)
            self.assertIn("Not deployed: the migration failed", said)
            self.assertEqual((host.served(), host.running()), ("good", before))
        self.assertEqual(load.failures, [])
        until("the notice", lambda: any("not deployed: the migration failed" in text for text in host.notices.texts))

    def test_one_that_is_killed_leaves_what_serves(self):
        host = self.host
        with Load(host) as load:
            for stage in ("backup", "migrate", "smoke"):
                before, lines = host.running(), len(host.journal())
                deploy = host.begin("--contract", "--backup-command=sleep 1", host.release("without", TAKES_AWAY))
                until(stage, lambda: any(line[2] == stage for line in host.journal()[lines:]), pause=0.005)
                deploy.send_signal(signal.SIGKILL)
                deploy.communicate()
                self.assertEqual(deploy.returncode, -signal.SIGKILL)
                self.assertIn("undoing it", self.deploy("--contract", host.release("without", TAKES_AWAY)))
                self.assertEqual((host.served(), host.running()), ("good", before))
                self.assertFalse(self.is_there())
                self.sql("CREATE TABLE outlived ()")
        self.assertEqual(load.failures, [])

    def test_it_is_for_releases(self):
        for what in ("rollback", "migrate", "status"):
            self.assertIn("--contract needs a release", self.deploy("--contract", what, expected=64))
