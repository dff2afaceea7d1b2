"""A repository that is away or full: Postgres keeps serving, retains its WAL, and archives it afterwards.

A bucket stays away until as many segments wait as accumulate in an hour. OUTAGE_SECONDS adds an outage by the clock;
the default is none, so that the tests end.
"""
import os
import signal
import subprocess
import time
import unittest

from Tests.Recovery.bucket import Bucket
from Tests.Recovery.site import Ingestion, Site
from Tests.Stack.stack import until

# The number waiting after an hour, by archive_timeout.
HOUR_SEGMENTS = 60
OUTAGE_SECONDS = int(os.environ.get("OUTAGE_SECONDS", "0"))


class Repository(unittest.TestCase):
    def begin(self, **settings):
        site = Site(**settings)
        self.addCleanup(site.end)
        return site

    def archiver(self, site, column):
        return int(site.sql(f"SELECT {column} FROM pg_stat_archiver"))

    def waiting(self, site):
        """The number of complete segments not archived yet."""
        return int(site.sql("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"))

    def goes_on(self, site, ingestion):
        """The archive accepts nothing, and readings are acknowledged nevertheless."""
        before, failed = len(ingestion.acknowledged), self.archiver(site, "failed_count")
        for _ in range(3):
            site.sql("SELECT pg_logical_emit_message(false, 'a', 'b'), pg_switch_wal()")
        until("archiving to fail", lambda: self.archiver(site, "failed_count") > failed, 300)  # pgBackRest tries for two minutes
        until("readings to be acknowledged", lambda: len(ingestion.acknowledged) > before + 20)

    def comes_back(self, site, ingestion):
        """Everything that waited is archived, and a copy restored from it has every acknowledged reading."""
        began = time.monotonic()
        site.sql("SELECT pg_logical_emit_message(false, 'a', 'b'), pg_switch_wal()")  # wakes the archiver
        while left := self.waiting(site):
            until(f"one of {left} segments to be archived", lambda: self.waiting(site) < left, 300)
        print(f"\nthe backlog was archived {time.monotonic() - began:.0f} s after the repository's return")
        ingestion.stop()
        self.assertEqual(ingestion.lost(), 0)
        site.switch()
        self.assertIn("Verified", site.command("verify").stdout)
        self.assertIn("Backup completed", site.command("run").stdout)
        self.assertIn("Restore test passed", site.command("restore-test").stdout)
        self.assertIn("Restored", site.command("restore", "--to", "latest", "--into", site.folder / "copy").stdout)

    def stays_away(self, site, ingestion):
        """For OUTAGE_SECONDS: each reading is acknowledged, and each minute's WAL waits."""
        began, waited = time.monotonic(), self.waiting(site)
        while time.monotonic() - began < OUTAGE_SECONDS:
            before = len(ingestion.acknowledged)
            time.sleep(10)
            self.assertGreater(len(ingestion.acknowledged), before)
        waits, failed = self.waiting(site), self.archiver(site, "failed_count")
        self.assertGreaterEqual(waits - waited, OUTAGE_SECONDS // 60 - 2)  # archive_timeout is a minute
        print(f"\naway for {time.monotonic() - began:.0f} s: {waits} segments wait, archiving failed {failed} times, {20 * len(ingestion.acknowledged)} readings")

    def outage(self, leave, come_back):
        """A bucket goes away and comes back while a device sends."""
        with Bucket() as bucket:
            site = self.begin()
            site.configure(**bucket.settings(site))
            site.begin()
            device = site.grower()
            site.command("run")
            ingestion = Ingestion(site, device, pause=0.1)
            self.addCleanup(ingestion.stop)
            leave(bucket)
            self.goes_on(site, ingestion)
            for _ in range(HOUR_SEGMENTS):
                site.sql("SELECT pg_logical_emit_message(false, 'a', 'b'), pg_switch_wal()")
            self.stays_away(site, ingestion)
            failed = site.command("run", check=False)
            self.assertEqual(failed.returncode, 1, failed.stderr)
            self.assertIn("Backup FAILED", site.told.texts[-1])
            come_back(bucket)
            self.comes_back(site, ingestion)

    def test_a_bucket_that_refuses_loses_nothing(self):
        self.outage(Bucket.stop, Bucket.start)

    def test_a_bucket_that_does_not_answer_loses_nothing(self):
        self.outage(lambda bucket: bucket.process.send_signal(signal.SIGSTOP), lambda bucket: bucket.process.send_signal(signal.SIGCONT))

    def test_a_full_repository_stops_archiving_and_not_the_database(self):
        site = self.begin()
        repository = site.folder / "repository"
        if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=0777", "tmpfs", repository], capture_output=True).returncode:
            self.skipTest("only root may mount a file system to fill")
        self.addCleanup(subprocess.run, ["umount", "-l", repository], check=False)
        site.begin()
        device = site.grower()
        site.command("run")
        ingestion = Ingestion(site, device, pause=0.1)
        self.addCleanup(ingestion.stop)
        full = repository / "filler"
        with open(full, "wb") as file, self.assertRaises(OSError):
            while True:
                file.write(b"x" * (1 << 20))
                file.flush()
        self.goes_on(site, ingestion)
        failed = site.command("run", check=False)
        self.assertEqual(failed.returncode, 1, failed.stderr)
        full.unlink()
        self.comes_back(site, ingestion)
