"""Restores of a cluster whose last WAL was never archived: no row is lost, whichever way is tried first."""
import shutil
import unittest

from Tests.Recovery.site import Site
from Tests.Stack.stack import until


class Restore(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.addClassCleanup(cls.site.end)
        cls.site.begin()
        cls.site.stop("server")
        cls.site.sql("CREATE TABLE rows (number int)")
        cls.site.command("run")

    def lose(self):
        """Writes rows, one of them archived, the others in three segments that are not; kills Postgres; returns a moment
        between the first and the others."""
        site = self.site
        site.sql("TRUNCATE rows; INSERT INTO rows VALUES (1)")
        site.switch()
        moment = site.sql("SELECT clock_timestamp()")
        site.sql("ALTER SYSTEM SET archive_command = 'false'")
        site.sql("SELECT pg_reload_conf()")
        until("the archiver to fail", lambda: site.sql("SHOW archive_command") == "false")
        for number in (2, 3):
            site.sql(f"INSERT INTO rows VALUES ({number})")
            site.sql("SELECT pg_switch_wal()")
        site.sql("INSERT INTO rows VALUES (4)")
        site.kill_postgres()
        return moment

    def is_whole(self):
        """Every row is there, and archived without a gap."""
        self.site.start_postgres()
        self.assertEqual(self.site.sql("SELECT array_agg(number ORDER BY number) FROM rows"), "{1,2,3,4}")
        self.site.switch()
        self.assertIn("without a gap", self.site.command("status").stdout)
        self.assertIn("Verified", self.site.command("verify").stdout)
        self.assertIn("Backup completed", self.site.command("run", "--kind", "full").stdout)
        self.assertFalse((self.site.folder / "state/kept-wal").exists())

    def test_another_moment_may_be_tried_with_the_wal_that_was_kept(self):
        moment = self.lose()
        self.assertIn("WAL files that were not archived", self.site.command("restore", "--to", moment, "--replace").stdout)
        self.site.start_postgres()
        self.assertEqual(self.site.sql("SELECT array_agg(number) FROM rows"), "{1}")
        self.site.stop_postgres()
        self.site.command("restore", "--to", "latest", "--replace", "--accept")
        self.is_whole()

    def test_before_the_next_backup_another_one_starts_from_one_that_was_not_given_up(self):
        """The newest backup came after the moment that was restored: what was accepted does not descend from it."""
        site = self.site

        def holds(rows):
            site.start_postgres()
            self.assertEqual(site.sql("SELECT array_agg(number ORDER BY number) FROM rows"), rows)

        site.sql("TRUNCATE rows; INSERT INTO rows VALUES (1)")
        site.command("run", "--kind", "full")
        moment = site.sql("SELECT clock_timestamp()")
        site.sql("INSERT INTO rows VALUES (9)")
        site.command("run")
        site.stop_postgres()
        site.command("restore", "--to", moment, "--replace", "--accept")
        holds("{1}")
        site.sql("INSERT INTO rows VALUES (2)")
        later = site.sql("SELECT clock_timestamp()")
        site.sql("INSERT INTO rows VALUES (3)")
        site.switch()
        site.stop_postgres()
        site.command("restore", "--to", later, "--replace")
        holds("{1,2}")
        site.stop_postgres()
        site.command("restore", "--to", "latest", "--replace", "--accept")
        holds("{1,2,3}")
        self.assertIn("Backup completed", site.command("run", "--kind", "full").stdout)

    def test_accepted_wal_of_a_saved_folder_is_archived(self):
        self.lose()
        saved = self.site.folder / "saved"
        shutil.copytree(self.site.data / "pg_wal", saved)
        shutil.rmtree(self.site.data)
        self.site.own(saved)
        self.site.command("restore", "--to", "latest", "--wal", saved.name)  # relative to the working directory
        self.site.command("restore", "--accept")
        self.is_whole()

    def test_wal_of_another_cluster_is_never_archived(self):
        """A new host comes with a cluster of its own, whose first segments have names that the repository has already
        expired."""
        site = self.site
        site.sql("TRUNCATE rows; INSERT INTO rows VALUES (1), (2), (3), (4)")
        site.command("run", "--kind", "full")
        site.run("pgbackrest", f"--config={site.folder}/state/pgbackrest.conf", "--stanza=terroir", "--repo1-retention-full-type=count", "--repo1-retention-full=1", "expire")
        self.assertEqual(site.repository("archive/**/000000010000000000000001-*"), [])
        site.stop_postgres()
        site.data.rename(site.folder / "lost")
        site.run("initdb", "-D", site.data, "-U", "terroir", "--auth=trust", "--data-checksums")
        site.run("pg_ctl", "-D", site.data, "-o", f"-c listen_addresses='' -c unix_socket_directories={site.socket}", "-l", site.folder / "postgres.log", "-w", "start")
        site.stop_postgres()
        foreign = site.folder / "foreign"
        shutil.copytree(site.data / "pg_wal", foreign)
        site.own(foreign)
        refused = site.command("restore", "--to", "latest", "--replace", "--wal", foreign, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, r"foreign/0{7}10{15}1 is another cluster's WAL")
        said = site.command("restore", "--to", "latest", "--replace", "--accept").stdout
        self.assertIn("contains another cluster: its WAL is not kept", said)
        self.is_whole()

    def test_the_superuser_is_let_in_by_the_password_that_counts_now(self):
        site = self.site
        site.write("superuser", "of this host's secrets\n")
        site.own(site.folder / "etc")
        site.sql("ALTER ROLE terroir PASSWORD 'of the host that was lost'")
        site.switch()
        site.stop_postgres()
        site.command("restore", "--to", "latest", "--replace", "--accept", BACKUP_SUPERUSER_PASSWORD_FILE=str(site.folder / "etc/superuser"))
        access = site.data / "pg_hba.conf"
        before = access.read_text()
        access.write_text("local template1 terroir scram-sha-256\n" + before)
        self.addCleanup(access.write_text, before)
        site.start_postgres()

        def is_let_in(password):
            return site.run("psql", "-XqAtc", "SELECT 1", "-h", site.socket, "-U", "terroir", "template1", check=False, PGPASSWORD=password).stdout == "1\n"

        self.assertTrue(is_let_in("of this host's secrets"))
        self.assertFalse(is_let_in("of the host that was lost"))
        self.assertIn("Backup completed", site.command("run", "--kind", "full").stdout)

    def test_a_restore_that_was_cut_off_is_gone_on_with(self):
        site, copy = self.site, self.site.folder / "cut"
        self.addCleanup(shutil.rmtree, copy)
        site.sql("CREATE TABLE large AS SELECT repeat(md5(n::text), 200) FROM generate_series(1, 20000) n")
        self.addCleanup(site.sql, "DROP TABLE large")
        site.command("run")
        shim = site.folder / "bin/pgbackrest"
        shim.write_text('#!/bin/bash\nfor last; do :; done\n[ "$last" != restore ] || { ulimit -f 2000 && set -- --process-max=1 "$@"; }\nexec /usr/bin/pgbackrest "$@"\n')  # in KiB: like a full disk
        shim.chmod(0o755)
        again = ("restore", "--to", "latest", "--into", copy, "--replace")
        self.assertEqual(site.command(*again, check=False).returncode, 1)
        shim.unlink()
        self.assertTrue((copy / "base").exists())
        self.assertFalse((copy / "PG_VERSION").exists())
        self.assertIn("Restored", site.command(*again).stdout)
        # And before its first file.
        shutil.rmtree(copy)
        (copy / "base/1").mkdir(parents=True)
        site.own(copy)
        self.assertIn("Restored", site.command(*again).stdout)

    def test_what_is_no_cluster_is_not_overwritten(self):
        strange = self.site.folder / "strange"
        (strange / "base").mkdir(parents=True)
        (strange / "base/mine").write_text("mine")
        self.site.own(strange)
        done = self.site.command("restore", "--to", "latest", "--into", strange, "--replace", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("contains no cluster: nothing is overwritten", done.stderr)
        self.assertEqual((strange / "base/mine").read_text(), "mine")

    def test_a_folder_of_wal_that_is_not_there_is_a_wrong_command_line(self):
        for folder, said in (("nowhere", "there is no folder"), ("", "--wal needs a value")):
            done = self.site.command("restore", "--to", "latest", "--into", self.site.folder / "copy", "--wal", folder, check=False)
            self.assertEqual(done.returncode, 64, done.stderr)
            self.assertIn(said, done.stderr)
