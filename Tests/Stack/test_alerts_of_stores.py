"""Each alert on Postgres and Redis, fired by a fault in the real stack and received by a webhook."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest

import yaml

from Tests.Stack.monitored import Monitored
from Tests.Stack.stack import ROOT, free_ports, until

# Postgres does not run as root.
AS_OWNER = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
POSTGRES = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))


class StoreAlerts(Monitored):
    # --- Postgres ---

    def session(self, text, url=None, **environment):
        """Statements that run beside the test."""
        return subprocess.Popen(["psql", "-q", url or self.stack.stores["DATABASE_URL"], "-c", text], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env={**os.environ, **environment})

    def end(self, sessions):
        for each in sessions:
            each.kill()
            each.wait()
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)%' AND pid <> pg_backend_pid()")

    def test_connections_taken(self):
        script = self.stack.folder / "sleep.sql"
        script.write_text("SELECT pg_sleep(120)")
        connections = int(subprocess.run(["psql", "-XqAtc", "SHOW max_connections", self.stack.stores["DATABASE_URL"]], check=True, capture_output=True).stdout)
        # One process for all of them: on a busy host so many would start more slowly than they sleep.
        held = [subprocess.Popen(["pgbench", "--no-vacuum", f"--client={connections * 82 // 100}", "--transactions=1", f"--file={script}", self.stack.stores["DATABASE_URL"]],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
        try:
            self.received("DatabaseConnectionsHigh", 120)
        finally:
            self.end(held)

    def test_a_transaction_that_does_not_end_is_found_and_ended_as_the_runbook_says(self):
        # Idle in its transaction, as if its client had forgotten it.
        held = subprocess.Popen(["psql", "-q", self.stack.stores["DATABASE_URL"]], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env={**os.environ, "PGAPPNAME": "forgotten"})
        try:
            held.stdin.write(b"BEGIN; SELECT 1;\n")
            held.stdin.flush()
            self.received("LongTransaction")
            section = re.search(r"^### LongTransaction\n(.*?)^### ", (ROOT / "docs/runbook.md").read_text(), re.M | re.S)[1]
            confirm, do = re.findall(r'sql -c "(.*?)"', section, re.S)
            pid, who, state, *_ = self.sql(confirm).splitlines()[0].split("|")
            self.assertEqual((who, state), ("forgotten", "idle in transaction"))
            self.sql(do.replace("PID", pid))
            self.resolved("LongTransaction")
        finally:
            held.kill()
            held.communicate()

    def test_a_vacuum_and_a_backup_may_take_long(self):
        self.sql("CREATE TABLE vacuumed (id int) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);"
                 "INSERT INTO vacuumed SELECT generate_series(1, 200000); DELETE FROM vacuumed WHERE id % 2 = 0")
        self.sql("ALTER SYSTEM SET autovacuum_naptime = '1s'")
        self.sql("SELECT pg_reload_conf()")
        held = [self.session("SELECT pg_sleep(120)", PGAPPNAME="terroir-backup")]
        try:
            for what in ("backend_type = 'autovacuum worker'", "application_name = 'terroir-backup'"):
                old = f"SELECT 1 / count(*) FROM pg_stat_activity WHERE {what} AND datname = 'terroir' AND now() - xact_start > '15 s'"
                until(what, lambda: subprocess.run(["psql", "-q", self.stack.stores["DATABASE_URL"], "-c", old], capture_output=True, check=False).returncode == 0, 60)
            self.assertTrue(self.stack.query('pg_client_transactions_longest_seconds{datname="terroir"} < 10'))
        finally:
            self.end(held)
            self.sql("ALTER SYSTEM RESET autovacuum_naptime")
            self.sql("SELECT pg_reload_conf()")
            self.sql("DROP TABLE vacuumed")

    def test_deadlocks(self):
        held = [self.session(f"SET deadlock_timeout = '100ms'; SELECT pg_advisory_lock({pair}, {first}); SELECT pg_sleep(2); SELECT pg_advisory_lock({pair}, {1 - first})")
                for pair in range(8) for first in (0, 1)]
        self.received("Deadlocks")
        self.assertGreaterEqual(sum(each.wait() != 0 for each in held), 6)

    def test_a_duty_that_fails(self):
        self.sql("ALTER TABLE erased_devices RENAME TO elsewhere")
        try:
            self.received("HousekeepingFailing", duty="readings.erased")
        finally:
            self.sql("ALTER TABLE elsewhere RENAME TO erased_devices")
        self.resolved("HousekeepingFailing", duty="readings.erased")

    def test_a_bucket_that_postgres_refuses(self):
        device = self.device("refused")
        self.sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;"
                 "CREATE TRIGGER refuse BEFORE INSERT ON readings_5m FOR EACH ROW WHEN (NEW.sensor_type = 'refused') EXECUTE FUNCTION refuse()")
        self.send(device, 1, sensor="refused")
        for part in ("additions", "bucket"):
            self.received("RollupRefused", part=part)
        self.sql("DROP FUNCTION refuse() CASCADE")
        # As the runbook says.
        self.sql(re.search(r'sql -c "(WITH again AS.*?)"', (ROOT / "docs/runbook.md").read_text(), re.S)[1])
        buckets = f"{self.stack.api}/api/devices/{device['id']}/readings?resolution=5m&sensorType=refused"
        until("the bucket", lambda: self.stack.curl(buckets, *self.user).json()["items"])

    def test_what_the_exporter_asks_that_of_cloudnativepg_may_ask_too(self):
        user, password, host, port = re.match(r"postgres\w*://(\w+):(\w+)@([\w.]+):(\d+)/", self.stack.stores["DATABASE_URL"]).groups()
        secret = self.stack.folder / "password"
        secret.write_text("of_all_roles")
        # A database with our roles, in which the operator's existed before them.
        self.sql("CREATE ROLE cnpg_metrics_exporter LOGIN PASSWORD 'its_own' IN ROLE pg_monitor")
        self.addCleanup(self.sql, "DROP ROLE cnpg_metrics_exporter")
        self.sql("CREATE DATABASE elsewhere")
        self.addCleanup(self.sql, "DROP DATABASE elsewhere")
        subprocess.run([ROOT / "scripts/postgres-roles"], check=True, env={
            **os.environ, "PGHOST": host, "PGPORT": port, "PGUSER": user, "PGPASSWORD": password, "PGDATABASE": "elsewhere",
            **{f"{role}_PASSWORD_FILE": str(secret) for role in ("OWNER", "API", "EXPORTER")}})
        for name, asked in yaml.safe_load((ROOT / "monitoring/postgres/queries.yml").read_text()).items():
            with self.subTest(name=name):
                done = subprocess.run(["psql", "-qAt", f"postgres://cnpg_metrics_exporter:its_own@{host}:{port}/elsewhere",
                                       "-c", "SET search_path = pg_catalog, public, pg_temp", "-c", asked["query"]], capture_output=True, text=True, check=False)
                self.assertEqual(done.stderr, "")

    @contextlib.contextmanager
    def replica(self):
        """A second Postgres that follows the first; returns its URL."""
        folder, port = self.stack.folder / "replica", free_ports(["replica"])["replica"]
        folder.mkdir(mode=0o700)
        if AS_OWNER:
            shutil.chown(folder, "postgres")
        url = self.stack.stores["DATABASE_URL"]
        subprocess.run([*AS_OWNER, POSTGRES / "pg_basebackup", "-d", url, "-D", folder, "-R", "-c", "fast"], check=True, cwd="/")
        here = re.sub(r":\d+/", f":{port}/", url)
        answers = lambda: subprocess.run(["psql", "-qc", "SELECT 1", here], capture_output=True, check=False).returncode == 0
        self.stack.start("replica", [*AS_OWNER, POSTGRES / "postgres", "-D", folder, "-p", port], answers)
        try:
            yield here
        finally:
            os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
            self.stack.processes.pop("replica").wait(30)

    def test_a_replica_that_falls_behind(self):
        with self.replica() as url:
            replica = lambda text: subprocess.run(["psql", "-q", url, "-c", text], check=True, stdout=subprocess.DEVNULL)
            write = lambda: self.sql("SELECT pg_logical_emit_message(true, 'test', 'something')")
            write()
            until("the exporter to see it", lambda: self.stack.query("pg_replica_lag_seconds"))
            replica("SELECT pg_wal_replay_pause()")
            self.received_while("ReplicaLagging", write, pause=0.5)
            replica("SELECT pg_wal_replay_resume()")
            self.resolved("ReplicaLagging")

    # --- Redis ---

    @property
    def redis_port(self):
        return int(re.search(r":(\d+)/", self.stack.stores["REDIS_URL"].split("@")[1])[1])

    def redis(self, *command):
        return subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(self.redis_port), *command], check=True, capture_output=True, text=True,
                              env={**os.environ, "REDISCLI_AUTH": self.stack.redis_password}).stdout.strip()

    def test_redis_memory_almost_used(self):
        used = int(re.search(r"used_memory:(\d+)", self.redis("info", "memory"))[1])
        self.redis("config", "set", "maxmemory", str(int(used * 1.05)))
        try:
            self.received("RedisMemoryHigh")
        finally:
            self.redis("config", "set", "maxmemory", "0")

    def test_redis_cannot_write(self):
        folder = pathlib.Path(self.stack.stores["TERROIR_TEST_REDIS_PIDFILE"]).parent
        folder.chmod(0o500)
        try:
            self.redis("bgsave")
            self.received("RedisNotPersisting")
        finally:
            folder.chmod(0o700)
        self.redis("bgsave")
        self.resolved("RedisNotPersisting")

    def test_redis_turns_connections_away(self):
        most = self.redis("config", "get", "maxclients").split()[1]
        taken = int(re.search(r"connected_clients:(\d+)", self.redis("info", "clients"))[1])
        # Two more than are connected: of five that come at once some are refused, and the exporter gets in between.
        self.redis("config", "set", "maxclients", str(taken + 2))

        def crowd():
            for each in [socket.create_connection(("127.0.0.1", self.redis_port)) for _ in range(5)]:
                each.close()

        try:
            self.received_while("RedisConnectionsRejected", crowd, pause=0.3)
        finally:
            self.redis("config", "set", "maxclients", most)
