"""The stores of a larger installation on this host: Postgres with standbys, PgBouncer, Redis under Sentinel,
haproxy."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

from Tests.Recovery.site import AS_OWNER, BINARY, POSTGRES, rfc3339
from Tests.Stack.stack import ROOT, Client, Stack, fetch, free_ports, until

__all__ = ["ROOT", "BINARY", "Client", "Load", "Name", "Postgres", "Site", "fetch", "until"]
PASSWORD = "a long enough password"


class Postgres:
    """One server in a folder of its own."""

    def __init__(self, site, name):
        self.site, self.name, self.folder = site, name, site.folder / name
        self.port = free_ports([name])[name]
        self.place = f"127.0.0.1:{self.port}"
        self.url = f"postgres://terroir@{self.place}/terroir"

    def create(self):
        self.run(POSTGRES / "initdb", "-D", self.folder, "-U", "terroir", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        with open(self.folder / "postgresql.conf", "a") as file:
            file.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 200\nshared_buffers = 32MB\n")
        self.start()
        self.sql("CREATE DATABASE terroir", database="postgres")
        return self

    def follow(self, primary):
        """Becomes a standby of another server."""
        self.run(POSTGRES / "pg_basebackup", "-d", f"host=127.0.0.1 port={primary.port} user=terroir application_name={self.name}", "-D", self.folder, "-R", "-c", "fast")
        self.start()
        return self

    def run(self, *command):
        subprocess.run([*AS_OWNER, *map(str, command)], check=True, cwd="/", stdout=subprocess.DEVNULL)

    def start(self):
        self.site.start(self.name, [*AS_OWNER, POSTGRES / "postgres", "-D", self.folder, "-p", self.port], self.answers)

    def answers(self):
        return subprocess.run(["psql", "-Xqc", "SELECT 1", self.url.removesuffix("terroir") + "postgres"], capture_output=True, check=False).returncode == 0

    def sql(self, text, database="terroir"):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text, self.url.rpartition("/")[0] + "/" + database],
                              check=True, capture_output=True, text=True).stdout.strip()

    def children(self, title=""):
        postmaster = int((self.folder / "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(postmaster)], capture_output=True, text=True, check=False).stdout
        return postmaster, [int(line.split()[0]) for line in listed.splitlines() if title in line]

    def kill(self):
        """Kills all its processes at once, as when the host fails."""
        postmaster, children = self.children()
        for pid in (postmaster, *children):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.site.processes.pop(self.name).wait(30)

    def stop(self):
        if self.name not in self.site.processes:
            return
        os.kill(int((self.folder / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
        try:
            self.site.processes[self.name].wait(60)
        except subprocess.TimeoutExpired:
            return self.kill()  # a test has stopped one of its children
        del self.site.processes[self.name]


class Name:
    """An address that leads to one server, and later to another, as a host name does. What is connected stays so."""

    def __init__(self, server):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"postgres://terroir@127.0.0.1:{self.listener.getsockname()[1]}/terroir"
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server.port))
            except OSError:
                client.close()
                continue
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self.forward, args=ends, daemon=True).start()

    @staticmethod
    def forward(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Site(Stack):
    """Parts of it are started by the tests; everything ends with `close`."""

    def __init__(self):
        super().__init__("scale", ("api", "api-2", "metrics", "metrics-2", "redis", "http", "https"))
        if AS_OWNER:
            shutil.chown(self.folder, "postgres")
        self.servers = []

    def close(self):
        for server in self.servers:
            try:
                server.stop()
            except OSError:
                pass
        super().close()

    def postgres(self, name):
        server = Postgres(self, name)
        self.servers.append(server)
        return server

    def redis(self, name="redis", *arguments):
        port = self.port[name] if name in self.port else self.port.setdefault(name, free_ports([name])[name])
        folder = self.folder / f"{name}-data"
        folder.mkdir(exist_ok=True)
        self.start(name, ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--repl-diskless-sync-delay", "0", *arguments],
                   lambda: "PONG" in self.ask(port, "ping"))
        return port

    def ask(self, port, *command, password=None):
        environment = {**os.environ, **({"REDISCLI_AUTH": password} if password else {})}
        return subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(port), *command], env=environment, capture_output=True, text=True, check=False).stdout

    def serve(self, name="api", ready="/readyz", **settings):
        """Starts a server, and waits until the given probe succeeds."""
        port = self.port[name]
        self.start(name, [BINARY, "serve"], lambda: fetch(f"http://127.0.0.1:{port}{ready}"), **{
            "REDIS_URL": f"redis://127.0.0.1:{self.port['redis']}/0", "JWT_SECRET": "s7F1kQ9zR4mX2cV8bN3wL6tY0pG5hJdA", "PORT": port,
            "METRICS_PORT": self.port["metrics" + name.removeprefix("api")], "HOST": "127.0.0.1", "ENVIRONMENT": "test", "WORKERS": "2",
            "SHUTDOWN_DRAIN_SECONDS": "0", "LOG_FORMAT": "json", **settings,
        })

    def grower(self, name="api"):
        """A user with a garden, as a client of a server."""
        client = Client(self.port[name])
        account = {"email": f"rosa-{time.monotonic_ns()}@example.org", "password": PASSWORD}
        client.make("/api/users", {**account, "displayName": "Rosa"})
        client.token = client.make("/api/sessions", account)["accessToken"]
        client.garden = client.make("/api/gardens", {"name": "Walled garden"})["id"]
        return client

    def device(self, grower):
        return grower.make(f"/api/gardens/{grower.garden}/devices", {"name": "Tomato bed"})

    def health(self, name="api"):
        try:
            return json.loads(fetch(f"http://127.0.0.1:{self.port[name]}/health"))
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def gauge(self, name, server="metrics"):
        found = re.search(rf"^{name} (\S+)$", fetch(f"http://127.0.0.1:{self.port[server]}/metrics"), re.M)
        return float(found[1]) if found else None


class Load:
    """Devices that send readings, one request after the other, and record when which were acknowledged."""

    def __init__(self, site, devices, servers=("api",), pause=0.01):
        self.site, self.pause, self.over = site, pause, threading.Event()
        self.acknowledged = {device["id"]: [] for device in devices}
        self.threads = [threading.Thread(target=self.send, args=(device, servers[index % len(servers)]), daemon=True) for index, device in enumerate(devices)]
        for thread in self.threads:
            thread.start()

    def send(self, device, server):
        at = int(time.time() * 1000) - 3_600_000
        while not self.over.wait(self.pause):
            moments = range(at, at + 10)
            at += 10
            body = {"readings": [{"sensorType": "soil_moisture", "value": moment % 100, "measuredAt": rfc3339(moment)} for moment in moments]}
            try:
                request = urllib.request.Request(
                    f"http://127.0.0.1:{self.site.port[server]}/api/devices/{device['id']}/readings", json.dumps(body).encode(),
                    {"Content-Type": "application/json", "Authorization": f"Bearer {device['key']}"})
                with urllib.request.urlopen(request, timeout=20) as answer:
                    if json.loads(answer.read())["accepted"] == 10:
                        self.acknowledged[device["id"]].append((time.monotonic(), at - 10))
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise
            except OSError:
                pass

    def since(self, moment):
        """Whether every device has had an acknowledgement since a moment."""
        return all(sent and sent[-1][0] > moment for sent in self.acknowledged.values())

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(30)

    def count(self):
        return sum(len(sent) for sent in self.acknowledged.values()) * 10

    def lost(self, postgres):
        """The number of acknowledged readings that a server lacks."""
        there = 0
        for device, sent in self.acknowledged.items():
            there += int(postgres.sql(f"""
                SELECT count(*) FROM unnest('{{{",".join(str(first) for _, first in sent)}}}'::bigint[]) first, generate_series(first, first + 9) moment
                WHERE EXISTS (SELECT FROM readings WHERE device_id = '{device}' AND sensor_type = 'soil_moisture'
                  AND measured_at = to_timestamp(moment / 1000.0))"""))
        return self.count() - there
