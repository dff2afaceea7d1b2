"""A new cluster in the place of the old, as after an upgrade of Postgres to another major version: backups continue,
and earlier ones can be restored. Both have the same version here; to the repository they are different clusters.
"""
import re
import unittest

from Tests.Recovery.site import Site


class Upgrade(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = site = Site()
        cls.addClassCleanup(site.end)
        site.begin()
        site.grower()
        site.stop("server")
        site.sql("CREATE TABLE rows (number int); INSERT INTO rows VALUES (1)")
        site.command("run")
        site.sql("INSERT INTO rows VALUES (2)")
        site.switch()
        cls.moment = site.sql("SELECT clock_timestamp()")
        site.sql("INSERT INTO rows VALUES (3)")
        site.switch()
        cls.before = cls.run_backup()
        cls.schema = cls.dumped("--schema-only")
        cls.replace()
        cls.refused = site.command("run", check=False)
        cls.after = cls.run_backup("--new-cluster")

    @classmethod
    def run_backup(cls, *arguments):
        """The label and the point of a backup."""
        return re.search(r"Backup completed (\S+) .* --to (\S+)\)", cls.site.command("run", *arguments).stdout).groups()

    @classmethod
    def dumped(cls, *options):
        text = cls.site.run("pg_dump", "-h", cls.site.socket, "-U", "terroir", *options, "terroir").stdout
        return re.sub(r"(?m)^\\(un)?restrict .*\n", "", text)  # a random word

    @classmethod
    def replace(cls):
        """As in docs/disaster-recovery.md: a dump, a new cluster, the roles, and the dump restored into it."""
        site = cls.site
        dump = site.folder / "state/terroir.dump"
        cls.dumped("--format=custom", f"--file={dump}")
        site.stop_postgres()
        site.data.rename(site.folder / "old")
        site.make_cluster()
        site.make_roles()
        site.run("pg_restore", "-h", site.socket, "-U", "terroir", "--dbname=terroir", "--exit-on-error", dump)

    def numbers(self, **options):
        return self.site.sql("SELECT array_agg(number ORDER BY number) FROM rows", **options)

    def test_a_dump_takes_all_of_it_over(self):
        self.assertEqual(self.dumped("--schema-only"), self.schema)
        self.assertEqual(self.numbers(), "{1,2,3}")

    def test_another_cluster_is_taken_when_that_is_said_alone(self):
        self.assertEqual(self.refused.returncode, 1)
        self.assertRegex(self.refused.stderr, "for another cluster than .*scripts/backup/run --new-cluster")
        self.assertRegex(self.after[0], r"^\d{8}-\d{6}F$")

    def test_backups_go_on(self):
        self.assertIn("Verified", self.site.command("verify").stdout)
        self.assertIn("Verified", self.site.command("verify", "--set", self.before[0]).stdout)
        self.assertRegex(self.site.command("status").stdout, f"without a gap since {self.after[0]}")
        self.assertIn("Restore test passed", self.site.command("restore-test").stdout)
        self.assertIn("Restore test passed", self.site.command("restore-test", "--set", self.before[0]).stdout)
        self.assertRegex(self.run_backup()[0], "_.*D$")

    def test_what_is_missing_is_looked_for_where_it_belongs(self):
        lost = sorted(self.site.repository("archive/terroir/*-1/**/*-*"))[-2]  # a gap after the last one would not be noticed
        aside = self.site.folder / lost.name
        lost.rename(aside)
        try:
            done = self.site.command("verify", "--set", self.before[0], check=False)
            self.assertRegex(done.stderr, f"WAL is missing after backup {self.before[0]}.*{lost.name[:24]}")
        finally:
            aside.rename(lost)

    def test_y_a_moment_before_the_upgrade_can_be_restored(self):
        site, copy = self.site, self.site.folder / "copy"
        for target, numbers in ((self.moment, "{1,2}"), (self.before[1], "{1,2,3}")):
            site.command("restore", "--to", target, "--into", copy, "--replace")
            site.run("pg_ctl", "-D", copy, "-o", "-p 5433", "-l", site.folder / "copy.log", "-w", "start")
            try:
                self.assertEqual(site.run("psql", "-XqAtc", "SELECT array_agg(number ORDER BY number) FROM rows", "-h", site.socket, "-p", "5433", "-U", "terroir", "terroir").stdout.strip(), numbers)
            finally:
                site.run("pg_ctl", "-D", copy, "-m", "fast", "-w", "stop")

    def test_z_the_way_back(self):
        """`z`: last, since it removes the new cluster."""
        site = self.site
        site.sql("INSERT INTO rows VALUES (4)")
        site.stop_postgres()
        said = site.command("restore", "--to", self.before[1], "--replace").stdout
        self.assertIn("contains another cluster: its WAL is not kept", said)
        site.command("restore", "--accept")
        site.start_postgres()
        self.assertEqual(self.numbers(), "{1,2,3}")
        self.run_backup("--new-cluster")
        site.switch()
        self.assertIn("without a gap", site.command("status").stdout)
        self.assertIn("Restore test passed", site.command("restore-test").stdout)
