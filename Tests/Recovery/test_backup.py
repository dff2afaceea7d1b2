"""The promises of `scripts/backup/run`, on a real Postgres under constant writes."""
import datetime
import os
import re
import shutil
import signal
import subprocess
import threading
import unittest

from Tests.Recovery.site import AS_OWNER, POSTGRES, ROOT, Ingestion, Site, until


class Backup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.addClassCleanup(cls.site.end)
        cls.site.begin()
        cls.device = cls.site.grower()
        cls.site.fill(cls.device, 20_000)
        cls.ingestion = Ingestion(cls.site, cls.device, pause=0.1)
        cls.addClassCleanup(cls.ingestion.stop)
        cls.first = cls.site.command("automated-backup.sh")

    def names(self):
        return {path.relative_to(self.site.folder) for path in self.site.repository()}

    def last_label(self):
        return re.findall(r"Backup completed (\S+)", self.site.command("run").stdout)[-1]

    def fails(self, name, *arguments, naming, code=1, **environment):
        """Runs a command that must fail and say why, and delete nothing."""
        before = self.names()
        done = self.site.command(name, *arguments, check=False, **environment)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stderr, naming)
        self.assertNotIn("Backup completed", done.stdout)
        self.assertEqual(before - self.names(), set())
        return done

    # --- all is well ---

    def test_a_backup_is_completed_only_after_its_verification(self):
        lines = self.first.stdout.splitlines()
        self.assertRegex(lines[-1], r"Backup completed \d{8}-\d{6}F \(full, \d+ s")
        steps = [re.sub(r"^\S+  ", "", line) for line in lines if "/8]" in line]
        self.assertEqual(len(steps), 8)
        self.assertIn("verification", steps[3])
        self.assertIn("removal", steps[6])
        for kind in ('store="postgres",kind="full"', 'store="redis",kind="rdb"', 'store="configuration",kind="archive"'):
            self.assertGreater(self.site.metric(f"terroir_backup_last_success_timestamp_seconds{{{kind}}}"), 1e9)
        self.assertEqual(self.site.metric("terroir_backup_last_run_success"), 1)

    def test_a_second_one_holds_what_differs(self):
        self.assertRegex(self.last_label(), r"F_\d{8}-\d{6}D$")
        self.assertIn("without a gap", self.site.command("status", check=False).stdout)

    def test_a_full_one_is_due_from_sunday_at_one(self):
        def kind(moment, zone="UTC"):
            said = self.site.run("faketime", f"{moment:%F %T}", self.site.folder / "scripts/backup/run", "--dry-run", TZ=zone).stdout
            return re.search(r"(\w+) backup \(not done", said)[1]

        now = datetime.datetime.now(datetime.UTC)
        sunday = now.replace(hour=1, minute=0, second=0) + datetime.timedelta(-now.isoweekday() % 7)
        if sunday <= now:
            sunday += datetime.timedelta(7)
        self.assertEqual(kind(sunday - datetime.timedelta(minutes=2)), "diff")
        self.assertEqual(kind(sunday), "full")
        self.assertEqual(kind(sunday + datetime.timedelta(6, hours=23)), "full")
        march = datetime.datetime(now.year + 1, 3, 31, 3)
        spring = march - datetime.timedelta((march.weekday() + 1) % 7)  # the clock is put forward at 01:00
        self.assertEqual(kind(spring, "Europe/London"), "full")

    def test_a_dry_run_changes_nothing(self):
        before = self.names()
        for name, arguments in (("run", ()), ("restore", ("--to", "latest", "--replace")), ("restore-test", ()), ("verify", ()), ("configure", ())):
            done = self.site.command(name, "--dry-run", *arguments)
            if name != "configure":
                self.assertIn("not done: dry run", done.stdout)
        self.assertEqual({name for name in before ^ self.names() if "archive" not in name.parts}, set())

    def test_every_command_explains_itself(self):
        for path in (self.site.folder / "scripts/backup").iterdir():
            if os.access(path, os.X_OK) and path.suffix != ".sh":
                help_text = self.site.command(path.name, "--help").stdout
                self.assertIn("Exit codes: 0", help_text)
                self.assertNotIn("shellcheck", help_text)
                self.assertEqual(self.site.command(path.name, "--no-such-thing", check=False).returncode, 64)

    def test_two_at_once_are_one(self):
        done = []
        threads = [threading.Thread(target=lambda: done.append(self.site.command("run", check=False))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(each.returncode for each in done), [0, 75])
        self.assertIn("another backup or restore is running", "".join(each.stderr for each in done))

    def test_one_is_completed_though_a_day_is_to_be_dropped_while_it_reads_the_contents(self):
        # Nobody reads past the table that is first in the order of names, as long as it is locked.
        self.site.sql("CREATE TABLE aaa (); SELECT readings_partition_make(current_date - 20)")
        end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'aaa'::regclass AND granted"
        self.addCleanup(self.site.sql, "DROP TABLE aaa")
        self.addCleanup(self.site.sql, end)
        done = []
        holder = threading.Thread(target=self.hold, args=("aaa",))
        backup = threading.Thread(target=lambda: done.append(self.site.command("run", check=False)))
        for thread in (holder, backup):
            thread.start()
            until("the table to be locked", lambda: self.site.sql("SELECT count(*) FROM pg_locks WHERE relation = 'aaa'::regclass") != "0")
        until("the backup to wait", lambda: self.site.sql("SELECT count(*) FROM pg_locks WHERE relation = 'aaa'::regclass AND NOT granted") != "0")
        drop = "SELECT readings_partition_drop_empty(current_date - 20)"
        with self.assertRaisesRegex(AssertionError, "lock timeout"):
            self.site.sql(f"SET lock_timeout = '200ms'; {drop}")
        self.site.sql(end)
        for thread in (holder, backup):
            thread.join()
        self.assertEqual(done[0].returncode, 0, done[0].stderr)
        self.assertIn("Backup completed", done[0].stdout)
        self.assertEqual(self.site.sql(drop), "t")

    def hold(self, table):
        """Locks a table until somebody ends the session."""
        with self.assertRaisesRegex(AssertionError, "terminating connection"):
            self.site.sql(f"BEGIN; LOCK TABLE {table}; SELECT pg_sleep(600)")

    def test_the_restore_test_passes_while_readings_come_in(self):
        self.last_label()
        done = self.site.command("restore-test")
        self.assertIn("Restore test passed", done.stdout)
        self.assertIn("The schema is up to date.", done.stdout)
        self.assertNotIn("no garden to read", done.stdout)
        self.assertGreater(self.site.metric("terroir_restore_test_rows"), 20_000)
        self.assertGreater(self.site.metric("terroir_restore_test_last_success_timestamp_seconds"), 1e9)

    def test_the_restore_test_of_kubernetes_asks_when_a_server_wrote_last(self):
        # A restored cluster has only psql: its statements are sent to this one, in a given database.
        kubectl = self.site.folder / "bin/kubectl"
        kubectl.write_text(f'#!/bin/bash\nwhile [ $# -gt 0 ] && [ "$1" != psql ]; do shift; done\n'
                           f'[ $# = 0 ] || exec "$@" -h {self.site.socket} -U terroir -d "$RESTORED"\n')
        kubectl.chmod(0o755)
        self.site.own(kubectl)
        script = self.site.folder / "restore-test.sh"
        shutil.copy(ROOT / "deploy/kubernetes/components/database/restore-test.sh", script)

        def restored(database, **environment):
            done = self.site.run("bash", script, check=False, RESTORED=database, **environment)
            return done.returncode, done.stdout + done.stderr

        self.site.sql("CREATE DATABASE unheard", database="postgres")
        self.addCleanup(self.site.sql, "DROP DATABASE unheard", database="postgres")
        self.site.run(self.site.folder / "terroir", "migrate", DATABASE_URL=self.site.database_url.removesuffix("terroir") + "unheard")
        self.assertRegex(str(restored("unheard")), r"^\(1, .*No server has ever written")
        self.site.sql("INSERT INTO status_spans VALUES (now() - interval '1 day', now(), 'healthy')", database="unheard")
        self.assertRegex(str(restored("unheard")), r"^\(0, .*Restored users\|devices\|orders: 0\|0\|0; a server wrote \d seconds ago")
        self.assertEqual(restored("terroir")[0], 0)
        self.assertRegex(str(restored("terroir", OLDEST_SECONDS="-1")), r"^\(1, .*WAL is missing")

    def test_redis_and_the_configuration_are_for_the_holder_of_the_key(self):
        for part, check, sign in (("redis", ["redis-check-rdb"], "RDB looks OK"), ("configuration", ["tar", "-tzf"], "etc/passphrase")):
            out = self.site.folder / "etc" / part
            self.site.command("restore", f"--{part}", out)
            self.assertIn(sign, self.site.run(*check, out).stdout)
            if part == "configuration":
                piped = f'"$0" --configuration - | tar -xzO --wildcards "*/passphrase"'
                self.assertEqual(self.site.run("bash", "-o", "pipefail", "-c", piped, self.site.folder / "scripts/backup/restore").stdout,
                                 (self.site.folder / "etc/passphrase").read_text())
            out.unlink()
        self.fails("restore", "--redis", self.site.folder / "none", naming="BACKUP_IDENTITY_FILE", code=78, BACKUP_IDENTITY_FILE="/nonexistent")

    def test_nothing_in_the_repository_can_be_read_without_its_key(self):
        self.site.switch()
        secrets = [b"rosa@example.org", b"Walled garden", (self.site.folder / "etc/passphrase").read_bytes(), b"readings_2"]
        for path in self.site.repository():
            data = path.read_bytes()
            self.assertTrue(data.startswith((b"Salted__", b"age-encryption.org")) or path.suffix == ".backup" or not data, path)
            for secret in secrets:
                self.assertNotIn(secret, data)
        for name in ("verify", "restore-test", "status", "run"):
            self.fails(name, naming="cannot be read|FormatError|CryptoError", PGBACKREST_REPO1_CIPHER_PASS="another passphrase")

    def test_a_postgres_that_is_away_is_not_taken_for_one_that_archives_nothing(self):
        self.site.stop_postgres()
        try:
            done = self.fails("run", naming="FAILED at .*Postgres archives its WAL.*connection to server")
        finally:
            self.site.start_postgres()
        self.assertNotIn("archive_mode", done.stderr)
        self.assertIn("connection to server", self.site.told.texts[-1])

    # --- damage for which pgBackRest exits 0 ---

    def test_bytes_that_changed_are_found_by_all_and_nothing_is_deleted(self):
        label = re.findall(r"Backup completed (\S+)", self.site.command("run", "--kind", "full").stdout)[-1]
        bundle = self.site.repository(f"backup/terroir/{label}/bundle/*")[0]
        good = bundle.read_bytes()
        place = len(good) // 2
        bundle.write_bytes(good[:place] + bytes(byte ^ 0xFF for byte in good[place:place + 4]) + good[place + 4:])
        told = len(self.site.told.texts)
        try:
            self.assertEqual(self.pgbackrest("verify").returncode, 0, "pgBackRest now reports this itself: our own check can go")
            self.fails("verify", naming=f"the repository is damaged: .*{label}")
            self.fails("run", naming=f"FAILED at .*verification.*{label}")
            self.assertEqual(self.site.metric("terroir_backup_last_run_success"), 0)
            self.assertIn("Backup FAILED", self.site.told.texts[told])
            self.fails("restore-test", "--set", label, naming="Restore test FAILED")
            self.assertEqual(self.site.metric("terroir_restore_test_last_run_success"), 0)
            self.assertRegex(self.site.command("status", check=False).stdout, f"FAILED, the last run: .*{label}")
            # As in docs/disaster-recovery.md: another full backup, which still finds the damage, then without the
            # damaged one.
            self.fails("run", "--kind", "full", naming=label)
            self.assertIn("Removed", self.removed_as_root(label))
            self.assertIn("Verified", self.site.command("verify").stdout)
            self.fails("remove", label, naming=f"there is no backup {label}")
        finally:
            if bundle.exists():
                bundle.write_bytes(good)
        self.site.command("run")
        self.assertEqual(self.site.metric("terroir_backup_last_run_success"), 1)

    def removed_as_root(self, label):
        """An operator repairs a repository as root: the files written must still be the owner's."""
        settings = {name: self.site.environment[name] for name in ("BACKUP_SETTINGS", "PATH")}
        return subprocess.run([self.site.folder / "scripts/backup/remove", label], env=settings, check=True, capture_output=True, text=True).stdout

    def test_a_failure_is_told_where_the_metrics_cannot_be_written(self):
        wrong = {"PGBACKREST_REPO1_CIPHER_PASS": "another passphrase"}
        told = len(self.site.told.texts)
        curl = self.site.folder / "bin/curl"
        curl.write_text('#!/bin/sh\necho "$@" >>"${0%/*}/curl.log"\nexec /usr/bin/curl "$@"\n')
        curl.chmod(0o755)
        self.site.own(curl.parent)
        self.addCleanup(curl.unlink)
        self.fails("run", naming="Backup FAILED at [^\0]*/nonexistent could not be written", BACKUP_METRICS="/nonexistent", **wrong)
        self.assertIn("Backup FAILED", self.site.told.texts[told])
        self.assertNotIn(self.site.told.url, (curl.parent / "curl.log").read_text())  # any user may see the arguments of processes
        if os.getuid():
            self.skipTest("only root may mount a file system to fill")
        metrics = self.site.folder / "metrics"
        before = (metrics / "terroir_backup.prom").read_bytes()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", metrics], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", metrics], check=True)
        (metrics / "terroir_backup.prom").write_bytes(before)
        self.site.own(metrics)
        with open(metrics / "filler", "wb", buffering=0) as file, self.assertRaises(OSError):
            while True:
                file.write(b"x" * 4096)
        self.fails("run", naming="Backup FAILED at [^\0]*metrics could not be written", **wrong)
        self.assertEqual({path.name: path.read_bytes() for path in metrics.glob("*erroir*")}, {"terroir_backup.prom": before})
        self.assertIn("Backup FAILED", self.site.told.texts[told + 1])

    def test_a_failure_is_told_where_its_messages_cannot_be_written(self):
        told = len(self.site.told.texts)
        self.addCleanup(self.site.command, "run")
        done = self.site.run("bash", "-c", 'exec "$0" >/dev/full 2>&1', self.site.folder / "scripts/backup/run", check=False,
                             PGBACKREST_REPO1_CIPHER_PASS="another passphrase")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Backup FAILED", self.site.told.texts[told])
        self.assertEqual(self.site.metric("terroir_backup_last_run_success"), 0)

    def test_the_loss_of_the_terminal_is_told(self):
        told = len(self.site.told.texts)
        self.addCleanup(self.site.command, "run")
        with subprocess.Popen([*AS_OWNER, self.site.folder / "scripts/backup/run"], env=self.site.environment, cwd=self.site.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True) as run:
            for line in run.stdout:
                if "[2/8]" in line:
                    break
            run.stdout.close()
            os.killpg(run.pid, signal.SIGHUP)
            self.assertEqual(run.wait(120), 129)
        self.assertIn("Backup FAILED", self.site.told.texts[told])
        self.assertEqual(self.site.metric("terroir_backup_last_run_success"), 0)

    def test_what_fails_after_the_removal_does_not_say_that_nothing_was_deleted(self):
        def said(**environment):
            done = self.site.command("run", check=False, **environment)
            return done.returncode, re.search(r"Backup FAILED at \"([^\"]*)\".*\. (.*)\n", done.stderr).groups()

        self.assertEqual(said(BACKUP_REDIS="127.0.0.1:1"), (1, ("Redis", "Nothing was deleted.")))
        self.assertEqual(said(BACKUP_METRICS="/nonexistent"), (1, ("report", "The new backup is whole; expired backups may have been deleted.")))

    def test_a_copy_runs_by_the_programs_of_the_version_that_wrote_it(self):
        programs = self.site.folder / "programs"
        newer = programs / "99/bin/postgres"
        newer.parent.mkdir(parents=True)
        newer.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n")
        newer.chmod(0o755)
        (programs / POSTGRES.parent.name).symlink_to(POSTGRES.parent)
        self.site.own(programs)
        path = f"{newer.parent}:/usr/bin:/bin:/usr/sbin"
        self.last_label()
        self.assertIn("Restore test passed", self.site.command("restore-test", BACKUP_POSTGRES=str(programs), PATH=path).stdout)
        copy = self.site.folder / "versions"
        (programs / POSTGRES.parent.name).unlink()
        for name, arguments in (("restore-test", ()), ("restore", ("--to", "latest", "--into", copy))):
            self.fails(name, *arguments, naming=r"the data is of Postgres \d+, .* \(postgres \(PostgreSQL\) 99\.1\)", code=69, BACKUP_POSTGRES=str(programs), PATH=path)
        self.assertFalse(copy.exists())

    def test_a_copy_that_is_not_what_was_recorded_is_named(self):
        label, environment = self.last_label(), {"PGBACKREST_CIPHER_PASS": (self.site.folder / "etc/passphrase").read_text()}
        place = f"terroir/{label}/fingerprint"
        options = [f"--config={self.site.folder}/state/pgbackrest.conf"]
        recorded = self.site.run("pgbackrest", *options, "repo-get", place, **environment).stdout
        self.assertIn("before gardens|1|", recorded)
        (self.site.folder / "etc/recorded").write_text(recorded.replace("gardens|1|", "gardens|2|"))
        self.site.run("sh", "-c", f"pgbackrest {options[0]} repo-put {place} <{self.site.folder}/etc/recorded")
        self.fails("restore-test", naming=r"gardens is 1\|.*, was 2\|")

    def test_a_missing_segment_is_named_by_all(self):
        label = self.last_label()
        self.site.switch()
        lost = self.site.sql("SELECT last_archived_wal FROM pg_stat_archiver")
        self.site.switch()
        self.site.switch()
        file, = self.site.repository(f"archive/**/{lost}-*")
        aside = self.site.folder / file.name
        shutil.move(file, aside)
        try:
            self.assertEqual(self.pgbackrest("verify").returncode, 0, "pgBackRest now reports this itself: our own check can go")
            self.fails("verify", naming=lost)
            self.fails("restore-test", naming=lost)
            self.fails("restore", "--to", "latest", "--into", self.site.folder / "gap", naming=f"{lost}.*--accept-gap")
            self.assertIn("Restored", self.site.command("restore", "--to", "latest", "--into", self.site.folder / "gap", "--accept-gap").stdout)
            self.fails("run", naming=f"WAL is missing after backup {label}: {lost}")
            self.assertIn("Backup completed", self.site.command("run").stdout)  # the backup before began after the gap
        finally:
            shutil.move(aside, file)

    def pgbackrest(self, *arguments):
        return self.site.run("pgbackrest", f"--config={self.site.folder}/state/pgbackrest.conf", "--stanza=terroir", *arguments)

    # --- retention ---

    def test_z_only_what_is_too_old_and_not_needed_goes(self):
        """Forty days later, by pgBackRest's clock alone; `z`: last, since it removes the other tests' backups."""
        shim = self.site.folder / "bin/pgbackrest"
        shim.write_text('#!/bin/sh\nfor last; do :; done\n[ "$last" != expire ] || exec faketime -f +40d /usr/bin/pgbackrest "$@"\nexec /usr/bin/pgbackrest "$@"\n')
        shim.chmod(0o755)
        self.addCleanup(shim.unlink)
        for name in ("notes/keep.txt", "terroir/mine.txt"):
            (self.site.folder / "repository" / name).parent.mkdir(exist_ok=True)
            (self.site.folder / "repository" / name).write_text("not the backup's")
        self.site.own(self.site.folder / "repository")
        old = {path.name for path in (self.site.folder / "repository/terroir").iterdir() if path.is_dir()}
        full = re.findall(r"Backup completed (\S+)", self.site.command("run", "--kind", "full").stdout)[-1]
        self.assertTrue(old)
        newest = self.last_label()
        self.assertTrue(newest.startswith(full + "_"))
        kept = {path.name for path in (self.site.folder / "repository/terroir").iterdir()}
        self.assertEqual(kept & old, set())
        self.assertEqual(kept, {full, newest, "mine.txt"})
        self.assertTrue((self.site.folder / "repository/notes/keep.txt").exists())
        self.assertIn("Restore test passed", self.site.command("restore-test").stdout)
