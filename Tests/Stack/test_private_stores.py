"""The stores that scripts/stores starts for a checkout."""
import os
import re
import signal
import subprocess
import unittest

from Tests.Stack.stack import ROOT, until

STORES = [ROOT / "scripts" / "stores", "-i", "broken-off"]


class PrivateStores(unittest.TestCase):
    def setUp(self):
        subprocess.run([*STORES, "destroy"], check=True)
        self.addCleanup(subprocess.run, [*STORES, "destroy"], check=True)

    def killed_start(self, kill):
        """Starts them for the first time, and kills that as soon as initdb has begun to write."""
        start = subprocess.Popen([*STORES, "start"], start_new_session=True)
        settings = ROOT / ".terroir" / "broken-off" / "settings"
        data = until("the settings", lambda: settings.exists() and re.search("^data='(.*)'$", settings.read_text(), re.M))[1]
        until("initdb", lambda: os.path.exists(f"{data}/postgres/PG_VERSION"), pause=0.01)
        kill(start.pid, signal.SIGKILL)
        start.wait()
        self.assertFalse(os.path.exists(f"{data}/redis/redis.conf"), "it was killed too late")

    def test_they_start_although_their_first_start_was_killed(self):
        for what, kill in (("with all that it had started", os.killpg), ("alone, while initdb went on", os.kill)):
            with self.subTest(what):
                self.killed_start(kill)
                done = subprocess.run([*STORES, "start"], capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 0, done.stderr)
                subprocess.run([*STORES, "status"], check=True)
                subprocess.run([*STORES, "destroy"], check=True)

    def test_two_first_starts_at_once_start_one_pair_of_stores(self):
        starts = [subprocess.Popen([*STORES, "start"], stderr=subprocess.PIPE, text=True) for _ in range(2)]
        for start in starts:
            self.addCleanup(start.kill)
            text = start.communicate(timeout=300)[1]
            self.assertEqual(start.returncode, 0, text)
        subprocess.run([*STORES, "status"], check=True)
