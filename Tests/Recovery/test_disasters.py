"""Each disaster of docs/disaster-recovery.md, caused and recovered from, with what was lost and how long it took.

READINGS is the number of readings in the database (5 000 000 for the document's table, which `make drill` writes),
SECONDS how long a device sends before the host is lost: longer than the minute within which WAL is archived.
"""
import os
import re
import shutil
import time
import unittest

from Tests.Recovery.bucket import Bucket
from Tests.Recovery.site import Ingestion, Site
from Tests.Stack.stack import ROOT

READINGS = int(os.environ.get("READINGS", "20000"))
SECONDS = int(os.environ.get("SECONDS_OF_WRITING", "75"))
# The promised recovery time, at five million readings.
LIMIT_SECONDS = 120
DOCUMENT = ROOT / "docs/disaster-recovery.md"


class Disasters(unittest.TestCase):
    rows = []

    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.addClassCleanup(cls.site.end)
        cls.site.begin()
        cls.device = cls.site.grower()
        cls.site.fill(cls.device, READINGS)
        cls.site.command("run")

    @classmethod
    def tearDownClass(cls):
        rows = [f"| {disaster} | {lost} | {seconds:.0f} s |" for disaster, lost, seconds in cls.rows]
        table = "\n".join([f"| Disaster ({READINGS:,} readings) | Lost | Back after |".replace(",", " "), "|---|---|---|", *rows, ""])
        print("\n" + table)
        if os.environ.get("WRITE"):
            text, begin, end = DOCUMENT.read_text(), "<!-- drill: make drill -->\n", "<!-- end of drill -->"
            DOCUMENT.write_text(text[:text.index(begin) + len(begin)] + table + text[text.index(end):])

    def note(self, disaster, lost, began):
        """A row of the tables, by the words with which it begins in the table of steps."""
        seconds = time.monotonic() - began
        self.rows.append((disaster, lost, seconds))
        self.assertLess(seconds, LIMIT_SECONDS, disaster)

    def serve(self):
        """Starts Postgres and the server as on any day."""
        self.site.start_postgres()
        self.site.start_server()

    def halt(self):
        self.site.stop("server")
        self.site.stop_postgres()

    def moment(self):
        """The present time by the database, with a commit before and after it."""
        self.site.sql("CREATE TABLE IF NOT EXISTS marks (at timestamptz); INSERT INTO marks VALUES (now())")
        moment = self.site.sql("SELECT clock_timestamp()")
        time.sleep(0.01)  # separates the two in time
        return moment

    def readings(self):
        return int(self.site.sql("SELECT count(*) FROM readings"))

    # --- in this order: each leaves a working site with a backup ---

    def test_1_host_lost(self):
        """kill -9 while a device sends, and the database's folder is lost."""
        site, ingestion = self.site, Ingestion(self.site, self.device)
        time.sleep(SECONDS)
        site.kill_postgres()
        crash = time.time()
        ingestion.stop()
        site.stop("server")
        saved = site.folder / "saved"
        shutil.copytree(site.data / "pg_wal", saved)
        shutil.rmtree(site.data)
        self.assertGreater(len(ingestion.acknowledged), SECONDS)

        began = time.monotonic()
        site.command("restore", "--to", "latest")
        self.serve()
        self.note("The host and its disk are lost", "the last minute at most", began)
        lost = ingestion.lost()
        print(f"\nof {20 * len(ingestion.acknowledged)} readings acknowledged in {SECONDS} s, {lost} are lost with the archive alone")
        self.assertEqual(ingestion.lost(before=crash - 60), 0)
        self.assertLessEqual(lost, 20 * sum(moment > crash - 60 for moment, _ in ingestion.acknowledged))

        self.halt()
        began = time.monotonic()
        site.own(saved)
        site.command("restore", "--to", "latest", "--replace", "--wal", saved, "--accept")
        self.serve()
        self.note("The host is lost, `pg_wal` is saved", "nothing", began)
        self.assertEqual(ingestion.lost(), 0)
        self.assertEqual(self.readings(), READINGS + int(site.sql("SELECT count(*) FROM readings WHERE sensor_type = 'soil_moisture'")))
        self.assertIn("Backup completed", site.command("run", "--kind", "full").stdout)
        self.assertIn("Restore test passed", site.command("restore-test").stdout)

    def test_2_table_emptied(self):
        """A bad migration: back to the moment before."""
        before, moment = self.readings(), self.moment()
        self.site.sql("DELETE FROM readings")
        self.site.switch()
        self.assertEqual(self.readings(), 0)
        began = time.monotonic()
        self.halt()
        done = self.site.command("restore", "--to", moment, "--replace", "--accept")
        self.serve()
        self.note("A table is emptied, by a bad migration or by hand", "what came after", began)
        self.assertEqual(self.readings(), before)
        self.assertIn("Restored", done.stdout)

    def test_3_database_dropped(self):
        """DROP DATABASE removes files before its commit: a commit lies between the moment and it."""
        before, moment = self.readings(), self.moment()
        self.site.sql("INSERT INTO marks VALUES (now())")
        self.site.stop("server")
        self.site.sql("DROP DATABASE terroir WITH (FORCE)", database="postgres")
        began = time.monotonic()
        self.site.run("psql", "-XqAt", "-h", self.site.socket, "-U", "terroir", "-c", "SELECT pg_logical_emit_message(false, 'a', 'b'), pg_switch_wal()", "postgres")
        self.site.stop_postgres()
        self.site.command("restore", "--to", moment, "--replace", "--accept")
        self.serve()
        self.note("The database is dropped", "what came after", began)
        self.assertEqual(self.readings(), before)

    def test_4_redis_lost(self):
        login = {"email": "rosa@example.org", "password": "sunflowers-and-rain"}
        token = self.site.post("/api/sessions", login)["accessToken"]
        began = time.monotonic()
        self.site.stop("redis", 9)
        shutil.rmtree(self.site.folder / "redis")
        (self.site.folder / "redis").mkdir()
        self.site.own(self.site.folder / "redis")
        self.site.start_redis()
        self.assertIn("id", self.site.post("/api/gardens", {"name": "After"}, token))  # still signed in
        self.note("Redis and its disk are lost", "nothing: its content is rebuilt", began)

    def test_5_repository_lost(self):
        """The backups are lost, the database is not: it is protected again once a new full backup is verified."""
        shutil.rmtree(self.site.folder / "repository")
        failed = self.site.command("verify", check=False)
        self.assertNotEqual(failed.returncode, 0)
        began = time.monotonic()
        self.site.configure()
        self.assertIn("(full", self.site.command("run").stdout)
        self.note("The repository is damaged or lost", "past moments; of the database nothing", began)
        self.assertIn("Restore test passed", self.site.command("restore-test").stdout)

    def test_6_key_lost(self):
        """The passphrase is lost, and the repository unreadable: a new one with a new passphrase."""
        began = time.monotonic()
        self.site.write("passphrase", os.urandom(32).hex())
        self.site.configure(BACKUP_REPOSITORY=self.site.folder / "second")
        self.site.sql("SELECT pg_reload_conf()")
        self.assertIn("(full", self.site.command("run").stdout)
        self.note("The passphrase is lost", "past moments; of the database nothing", began)
        self.assertIn("Restore test passed", self.site.command("restore-test").stdout)

    def test_7_identity_lost(self):
        """The age identity is lost, and copies of Redis and the configuration are unreadable, except those made from
        now on."""
        site, (identity, copy) = self.site, (self.site.folder / "etc" / name for name in ("identity", "copy"))
        old = site.output("age-keygen", "-y", identity)
        label = self.newest()
        began = time.monotonic()
        identity.unlink()
        site.run("age-keygen", "-o", identity)
        site.write("recipients", site.output("age-keygen", "-y", identity))
        self.assertNotEqual(site.output("age-keygen", "-y", identity), old)
        site.command("run")
        self.note("The age identity is lost", "the copies of Redis and of the configuration", began)
        for part in ("redis", "configuration"):
            self.assertEqual(site.command("restore", f"--{part}", copy, "--set", label, check=False).returncode, 1)
            self.assertFalse(copy.exists())
            site.command("restore", f"--{part}", copy)
            self.assertGreater(copy.stat().st_size, 0)
            copy.unlink()

    def newest(self):
        return re.findall(r"^(\d{8}-\d{6}F\S*) ", self.site.command("status", check=False).stdout, re.M)[-1]

    def test_8_region_lost(self):
        """Everything here is lost; what is left is a bucket elsewhere, the passphrase and the settings."""
        with Bucket() as bucket:
            self.site.configure(**bucket.settings(self.site))
            self.site.command("run")
            before = self.readings()
            self.site.switch()
            self.halt()
            site = Site(**{name: value for name, value in self.site.settings.items() if name.startswith(("BACKUP_S3", "BACKUP_REPOSITORY"))})
            self.addCleanup(site.end)
            for name in ("passphrase", *bucket.files):
                shutil.copy(self.site.folder / "etc" / name, site.folder / "etc" / name)
            site.configure(**bucket.settings(site))
            site.start_redis()
            began = time.monotonic()
            site.command("restore", "--to", "latest", "--accept")
            # Debian keeps these files elsewhere: here they are with the data, and name the lost host's folders.
            text = (site.data / "postgresql.conf").read_text()
            (site.data / "postgresql.conf").write_text(text.replace(str(self.site.folder), str(site.folder)))
            site.start_postgres()
            site.start_server()
            self.note("The region is lost", "the last minute at most", began)
            self.assertEqual(int(site.sql("SELECT count(*) FROM readings")), before)
            self.assertIn("Backup completed", site.command("run", "--kind", "full").stdout)

    def test_9_each_that_can_be_recovered_from_was_made(self):
        table = re.search(r"^\| Disaster \| Lost \| What to do \|\n\|---.*\n((?:\|.*\n)+)", DOCUMENT.read_text(), re.M)[1]
        documented = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()]
        self.assertEqual(set(documented) - {row[0] for row in self.rows}, {"The host and the passphrase are lost"})
