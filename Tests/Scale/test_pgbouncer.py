"""The server behind Debian's PgBouncer."""
import subprocess
import threading
import unittest

from Tests.Recovery.site import AS_OWNER
from Tests.Scale.site import BINARY, Client, Site, fetch, until
from Tests.Stack.stack import free_ports


class PgBouncer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.addClassCleanup(cls.site.close)
        cls.postgres = cls.site.postgres("postgres").create()
        cls.site.redis()

    def pooler(self, mode):
        """Starts PgBouncer; returns the URL of the database through it."""
        port = free_ports(["pgbouncer"])["pgbouncer"]
        folder = self.site.folder / f"pgbouncer-{mode}"
        folder.mkdir()
        (folder / "users").write_text('"terroir" ""\n')
        (folder / "pgbouncer.ini").write_text(f"""[databases]
terroir = host=127.0.0.1 port={self.postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = 50
""")
        self.site.start(f"pgbouncer-{mode}", [*AS_OWNER, "/usr/sbin/pgbouncer", folder / "pgbouncer.ini"],
                        lambda: not subprocess.run(["psql", "-Xqc", "SELECT 1", f"postgres://terroir@127.0.0.1:{port}/terroir"], capture_output=True, check=False).returncode)
        self.addCleanup(self.site.stop, f"pgbouncer-{mode}")
        return f"postgres://terroir@127.0.0.1:{port}/terroir"

    def test_transaction_mode_is_refused_at_the_start_and_the_log_says_why(self):
        url = self.pooler("transaction")
        done = subprocess.run([BINARY, "migrate"], env={"DATABASE_URL": url, "JWT_SECRET": "s7F1kQ9zR4mX2cV8bN3wL6tY0pG5hJdA", "ENVIRONMENT": "test"},
                              capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("pool_mode = session", done.stderr)
        self.site.serve(DATABASE_URL=url, ready="/livez")
        self.addCleanup(self.site.stop, "api")
        until("the log to say why", lambda: any('"critical"' in line and "pool_mode = session" in line for line in self.site.log("api").splitlines()))
        for probe in ("/readyz", "/startupz"):
            with self.assertRaises(OSError):
                fetch(f"http://127.0.0.1:{self.site.port['api']}{probe}")

    def test_session_mode_serves_with_the_settings_that_sessions_need(self):
        self.site.serve(DATABASE_URL=self.pooler("session"), DATABASE_STATEMENT_TIMEOUT_MILLISECONDS=1000)
        self.addCleanup(self.site.stop, "api")
        grower, failures = self.site.grower(), []

        def use():
            client = Client(self.site.port["api"], grower.token)
            try:
                for number in range(10):
                    client.make("/api/businesses", {"name": f"Stall {number}", "category": "farm"})
                    status, _ = client.send("GET", "/api/gardens")
                    if status != 200:
                        failures.append(status)
            except (AssertionError, OSError) as failure:
                failures.append(failure)
            client.connection.close()

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        # Postgres cancels a statement that waits.
        with subprocess.Popen(["psql", "-Xq", self.postgres.url], stdin=subprocess.PIPE, text=True) as psql:
            psql.stdin.write("BEGIN; LOCK TABLE gardens;\n")
            psql.stdin.flush()
            until("the lock", lambda: self.postgres.sql("SELECT count(*) FROM pg_locks WHERE relation = 'gardens'::regclass AND mode = 'AccessExclusiveLock' AND granted") == "1")
            status, _ = grower.send("POST", "/api/gardens", {"name": "Waits"})
            self.assertEqual(status, 503)
            until("nobody to wait for it", lambda: self.postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0", seconds=5)
            psql.stdin.write("ROLLBACK;\n")
            psql.stdin.close()
        self.assertEqual(self.postgres.sql("SELECT count(*) FROM gardens WHERE name = 'Waits'"), "0")
