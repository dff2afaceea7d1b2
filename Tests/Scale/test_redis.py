"""Redis under Sentinel behind haproxy, with the files of deploy/redis."""
import time
import unittest

from Tests.Scale.site import ROOT, Site, until
from Tests.Stack.stack import free_ports

PASSWORD = "sunflowers-and-rain"


class Sentinel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = site = Site()
        cls.addClassCleanup(site.close)
        postgres = site.postgres("postgres").create()
        names = ("redis", "redis-2", "redis-3")
        for name in names:
            follow = ["--replicaof", "127.0.0.1", str(site.port["redis"])] if name != "redis" else []
            cls.redis(name, *follow)
        proxy, *sentinels = (free_ports([name])[name] for name in ("proxy", "sentinel-1", "sentinel-2", "sentinel-3"))
        template = (ROOT / "deploy/redis/sentinel.conf").read_text().replace("REDIS_HOST", "127.0.0.1").replace("REDIS_PORT", str(site.port["redis"])).replace("REDIS_PASSWORD", PASSWORD)
        for index, port in enumerate(sentinels):
            file = site.folder / f"sentinel-{index}.conf"
            file.write_text(template)
            site.start(f"sentinel-{index}", ["redis-sentinel", file, "--port", port, "--bind", "127.0.0.1", "--dir", site.folder])
        cls.sentinel = sentinels[0]
        until("the Sentinels to know all", lambda: "num-other-sentinels\n2" in cls.ask_sentinel() and "num-slaves\n2" in cls.ask_sentinel())
        places = {f"REDIS_{index + 1}": f"127.0.0.1:{site.port[name]}" for index, name in enumerate(names)}
        site.start("haproxy", ["haproxy", "-db", "-f", ROOT / "deploy/redis/haproxy.cfg"], LISTEN=f"127.0.0.1:{proxy}", REDIS_PASSWORD=PASSWORD, **places)
        site.serve(DATABASE_URL=postgres.url, REDIS_URL=f"redis://:{PASSWORD}@127.0.0.1:{proxy}/0")

    @classmethod
    def redis(cls, name, *arguments):
        site = cls.site
        port = site.port.setdefault(name, free_ports([name])[name])
        folder = site.folder / f"{name}-data"
        folder.mkdir(exist_ok=True)
        site.start(name, ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--repl-diskless-sync-delay", "0",
                          "--requirepass", PASSWORD, "--masterauth", PASSWORD, *arguments], lambda: "PONG" in site.ask(port, "ping", password=PASSWORD))

    @classmethod
    def ask_sentinel(cls, *command):
        return cls.site.ask(cls.sentinel, "sentinel", *(command or ("master", "terroir")))

    def primary(self):
        return int(self.ask_sentinel("get-master-addr-by-name", "terroir").split()[1])

    def is_healthy(self):
        return self.site.health()["checks"]["redis"]["status"] == "healthy"

    def written(self):
        """The primaries that have the server's keys."""
        return [name for name in ("redis", "redis-2", "redis-3") if name in self.site.processes
                and "role:master" in self.site.ask(self.site.port[name], "info", "replication", password=PASSWORD)
                and self.site.ask(self.site.port[name], "exists", "terroir:trial", password=PASSWORD).strip() == "1"]

    def test_a_killed_primary_is_replaced_and_the_server_heals(self):
        until("a healthy Redis", self.is_healthy)
        old = self.primary()
        name = next(name for name, port in self.site.port.items() if port == old)
        self.site.processes[name].kill()
        self.site.processes.pop(name).wait()
        killed = time.monotonic()
        until("the server to notice", lambda: not self.is_healthy(), pause=0.02)
        until("a healthy Redis", self.is_healthy, seconds=30, pause=0.02)
        print(f"\n  Redis' primary killed: healthy again after {time.monotonic() - killed:.2f} s")
        until("the Sentinels to agree", lambda: self.primary() != old)
        until("writes to the new primary", lambda: self.written() == [other for other, port in self.site.port.items() if port == self.primary()])
        # The old primary comes back, and becomes a replica.
        self.redis(name)
        until("it to follow", lambda: "role:slave" in self.site.ask(old, "info", "replication", password=PASSWORD))

    def test_a_primary_that_is_demoted_is_left(self):
        until("a healthy Redis", self.is_healthy)
        old = self.primary()
        until("the Sentinels to be ready for it", lambda: "OK" in self.ask_sentinel("failover", "terroir"))
        until("another primary", lambda: self.primary() != old)
        until("writes to the new primary alone", lambda: self.is_healthy() and [self.site.port[name] for name in self.written()] == [self.primary()], seconds=30)
