"""Histories read from standbys, and a standby that takes over, all real."""
import os
import signal
import time
import unittest

from Tests.Recovery.site import rfc3339
from Tests.Scale.site import Client, Load, Name, Site, until


class ReadYourWrites(unittest.TestCase):
    """Two servers that share a primary, two standbys and Redis."""

    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.addClassCleanup(cls.site.close)
        cls.primary = cls.site.postgres("primary").create()
        cls.standbys = [cls.site.postgres(name).follow(cls.primary) for name in ("standby-1", "standby-2")]
        cls.site.redis()
        places = ",".join(standby.place for standby in cls.standbys)
        for name in ("api", "api-2"):
            cls.site.serve(name, DATABASE_URL=cls.primary.url, DATABASE_REPLICA_URL=f"postgres://terroir@{places}/terroir?target_session_attrs=standby")
        cls.grower = cls.site.grower()

    def tearDown(self):
        for standby in self.standbys:
            if standby.name in self.site.processes:
                standby.sql("SELECT pg_wal_replay_resume()")

    def pause(self):
        for standby in self.standbys:
            standby.sql("SELECT pg_wal_replay_pause()")
            until("replay to pause", lambda: standby.sql("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self):
        for standby in self.standbys:
            standby.sql("SELECT pg_wal_replay_resume()")
        self.fresh()

    def fresh(self):
        for metrics in ("metrics", "metrics-2"):
            until("fresh standbys", lambda: self.site.gauge("database_replica_lag_seconds", metrics) < 1)

    def history(self, device, server):
        """The number of readings that a new connection to a server sees."""
        client = Client(self.site.port[server], self.grower.token)
        try:
            status, page = client.send("GET", f"/api/devices/{device['id']}/readings")
            self.assertEqual(status, 200)
            return len(page["items"])
        finally:
            client.connection.close()

    def store(self, device, count):
        now = int(time.time() * 1000)
        readings = [{"sensorType": "ph", "value": 7, "measuredAt": rfc3339(now - index)} for index in range(count)]
        client = Client(self.site.port["api"], device["key"])
        client.make(f"/api/devices/{device['id']}/readings", {"readings": readings})
        client.connection.close()

    def write_beside(self, device):
        """A reading that no server has stored, and so none has marked."""
        self.primary.sql(f"UPDATE devices SET measured_types = '{{rain}}' WHERE id = '{device['id']}'")
        self.primary.sql(f"INSERT INTO readings (device_id, sensor_type, measured_at, value) VALUES ('{device['id']}', 'rain', now(), 1)")

    def test_what_was_stored_is_seen_at_once_everywhere_while_standbys_lag(self):
        device = self.site.device(self.grower)
        self.fresh()
        self.pause()
        stored = 0
        for _ in range(5):
            self.store(device, 3)
            stored += 3
            for server in ("api", "api-2", "api", "api-2"):
                self.assertEqual(self.history(device, server), stored)
        # Longer than the mark lasts: by then a standby in use would have it.
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for server in ("api", "api-2"):
                self.assertEqual(self.history(device, server), stored)
        self.assertGreater(self.site.gauge("database_replica_lag_seconds"), 5)
        self.resume()
        self.assertEqual(self.history(device, "api-2"), stored)

    def test_a_standby_that_keeps_up_is_read_and_one_that_lags_is_not(self):
        device = self.site.device(self.grower)
        self.write_beside(device)
        for standby in self.standbys:
            until("it to be replayed", lambda: standby.sql(f"SELECT count(*) FROM readings WHERE device_id = '{device['id']}'") == "1")
        self.fresh()
        self.pause()
        self.write_beside(device)
        # The standby may still be read for some seconds; then reads go to the primary.
        self.assertEqual(self.history(device, "api"), 1)
        until("the primary to be read", lambda: self.history(device, "api") == 2, seconds=10)
        self.resume()

    def test_z_one_standby_less_costs_no_reading(self):
        device = self.site.device(self.grower)
        self.store(device, 4)
        self.standbys[0].kill()
        end = time.monotonic() + 8
        while time.monotonic() < end:
            self.assertEqual(self.history(device, "api"), 4)
        self.fresh()


class Failover(unittest.TestCase):
    """A primary that is killed under load, and its standby promoted."""

    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.close)
        self.primary = self.site.postgres("primary").create()
        self.standby = self.site.postgres("standby").follow(self.primary)
        self.site.redis()

    def serve(self):
        url = f"postgres://terroir@{self.primary.place},{self.standby.place}/terroir?target_session_attrs=read-write"
        for name in ("api", "api-2"):
            self.site.serve(name, DATABASE_URL=url)
        grower = self.site.grower()
        self.load = Load(self.site, [self.site.device(grower) for _ in range(6)], ("api", "api-2"))
        self.addCleanup(self.load.stop)
        begin = time.monotonic()
        until("the load", lambda: self.load.since(begin))

    def fail_over(self):
        """Kills the primary and promotes; returns the seconds until every device is served again."""
        self.primary.kill()
        self.standby.sql("SELECT pg_promote()")
        promoted = time.monotonic()
        until("writes everywhere", lambda: self.load.since(promoted), seconds=30, pause=0.02)
        took = time.monotonic() - promoted
        until("more writes", lambda: self.load.since(promoted + took))
        self.load.stop()
        return took

    def test_with_synchronous_commit_nothing_acknowledged_is_lost(self):
        # On the primary only: the standby must not wait for one of its own.
        self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self.primary.sql("SELECT pg_reload_conf()")
        until("the standby to be synchronous", lambda: self.primary.sql("SELECT sync_state FROM pg_stat_replication") == "sync")
        self.serve()
        time.sleep(1)
        took = self.fail_over()
        print(f"\n  synchronous: writes back {took:.2f} s after the promotion, {self.load.count()} acknowledged, {self.load.lost(self.standby)} lost")
        self.assertLess(took, 5)
        self.assertEqual(self.load.lost(self.standby), 0)

    def test_a_server_that_was_led_to_a_standby_changes_nothing_until_that_is_promoted(self):
        self.site.serve("api", DATABASE_URL=self.primary.url)
        grower = self.site.grower()
        until("the garden on the standby", lambda: self.standby.sql("SELECT count(*) FROM gardens") == "1")
        # Its one address names the standby, as a name does that still has the address of before a failover.
        self.site.serve("api-2", DATABASE_URL=self.standby.url)
        client = Client(self.site.port["api-2"], grower.token)
        for _ in range(10):
            status, problem = client.send("POST", "/api/gardens", {"name": "Orchard"})
            self.assertEqual((status, problem["type"]), (503, "urn:terroir:problem:service-unavailable"))
        self.primary.kill()
        self.standby.sql("SELECT pg_promote()")
        until("changes", lambda: client.send("POST", "/api/gardens", {"name": "Orchard"})[0] == 201, seconds=30)
        client.connection.close()

    def test_a_server_that_was_led_to_a_standby_reads_from_the_primary_once_its_name_leads_there(self):
        self.site.serve("api", DATABASE_URL=self.primary.url)
        grower = self.site.grower()
        device = self.site.device(grower)
        until("the device on the standby", lambda: self.standby.sql("SELECT count(*) FROM devices") == "1")
        name = Name(self.standby)
        self.addCleanup(name.close)
        self.site.serve("api-2", DATABASE_URL=name.url)
        client = Client(self.site.port["api-2"], grower.token)
        self.addCleanup(client.connection.close)
        history = f"/api/devices/{device['id']}/readings"
        self.assertEqual(client.send("GET", history)[1]["items"], [])
        self.standby.sql("SELECT pg_wal_replay_pause()")
        self.addCleanup(self.standby.sql, "SELECT pg_wal_replay_resume()")
        until("replay to pause", lambda: self.standby.sql("SELECT pg_get_wal_replay_pause_state()") == "paused")
        name.server = self.primary
        made = {}

        def is_made():
            status, garden = client.send("POST", "/api/gardens", {"name": "Orchard"})
            made.update(garden)
            return status == 201

        until("a change", is_made, seconds=30)
        sender = Client(self.site.port["api"], device["key"])
        self.addCleanup(sender.connection.close)
        sender.make(history, {"readings": [{"sensorType": "ph", "value": 7, "measuredAt": rfc3339(int(time.time() * 1000))}]})
        # What is read by key, and what is read in the lane for long reads, which had a connection before.
        until("the new garden", lambda: client.send("GET", f"/api/gardens/{made['id']}")[0] == 200, seconds=15)
        until("the new reading", lambda: len((client.send("GET", history)[1] or {}).get("items", [])) == 1, seconds=15)

    def test_without_it_what_the_standby_had_not_received_is_lost(self):
        self.serve()
        # A slow network: the standby receives nothing more.
        _, receivers = self.standby.children("walreceiver")
        os.kill(receivers[0], signal.SIGSTOP)
        begin = time.monotonic()
        until("acknowledged readings that the standby lacks", lambda: self.load.since(begin))
        self.primary.kill()
        os.kill(receivers[0], signal.SIGKILL)
        until("the standby to run again", self.standby.answers)
        self.standby.sql("SELECT pg_promote()")
        promoted = time.monotonic()
        until("writes everywhere", lambda: self.load.since(promoted), seconds=30, pause=0.02)
        self.load.stop()
        lost = self.load.lost(self.standby)
        print(f"\n  asynchronous: {lost} of {self.load.count()} acknowledged lost")
        self.assertGreater(lost, 0)
