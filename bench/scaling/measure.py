"""Simulates many devices on one host for a bounded time, and measures the cost of each kind of work."""
import base64
import datetime
import hashlib
import http.client
import json
import os
import pathlib
import re
import secrets
import subprocess
import time
import uuid

from scaling.model import PEAK

ROOT = pathlib.Path(__file__).resolve().parents[2]
STORES = [ROOT / "scripts/stores", "-i", "scaling"]
TICK = os.sysconf("SC_CLK_TCK")
# Every quarter of an hour a device sends the readings of its four sensors.
SENSORS = ("soil_moisture", "soil_temperature", "air_temperature", "battery")
MARK = "@" * 24  # the load generator puts a new time here
CONNECTIONS = 64
STREAMS = 500
# Posts per device and day, and the number of devices whose day is sealed to measure its size.
DAY_POSTS, SEALED_DEVICES = 96, 10_000
# How long to wait for the buckets of what was sent.
ROLLUP_SECONDS = 1_800


def cpu_seconds(*pids):
    """The CPU time of these processes and their children."""
    total = 0
    for pid in pids:
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
        for each in (str(pid), *children):
            try:
                fields = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            # Its own time, and that of children that have ended.
            total += sum(map(int, fields[11:15])) if each == str(pid) else sum(map(int, fields[11:13]))
    return total / TICK


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024


class Host:
    """A server on stores of its own, with a number of devices."""

    def __init__(self, binary, devices):
        self.binary, self.count, self.server = binary, devices, None
        self.folder = ROOT / ".terroir/scaling-load"
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([*STORES, "start"], check=True)
        try:
            self.prepare()
        except BaseException:
            self.close()
            raise

    def prepare(self):
        exports = subprocess.run([*STORES, "env"], check=True, capture_output=True, text=True).stdout
        self.stores = dict(re.findall(r"^export (\w+)='(.*)'$", exports, re.M))
        self.postgres, self.redis = (int(pathlib.Path(self.stores[f"TERROIR_TEST_{name}_PIDFILE"]).read_text().split()[0]) for name in ("POSTGRES", "REDIS"))
        subprocess.run(["gcc", "-std=gnu2x", "-D_GNU_SOURCE", "-O2", "-o", self.folder / "load", *(ROOT / "bench/load").glob("*.c")], check=True)
        self.start()
        self.make_devices()

    def start(self):
        environment = {
            **os.environ, "DATABASE_URL": self.stores["DATABASE_URL"], "REDIS_URL": self.stores["REDIS_URL"], "JWT_SECRET": secrets.token_hex(32),
            "PORT": "0", "METRICS_PORT": "0", "HOST": "127.0.0.1", "ENVIRONMENT": "test", "LOG_FORMAT": "json", "LOG_LEVEL": "info",
            "EVENTS_STREAMS_PER_CLIENT": str(STREAMS),
        }
        self.server = subprocess.Popen([self.binary, "serve"], env=environment, stdout=subprocess.PIPE, text=True)
        seen = set()
        while not seen >= {"Listening", "Serving"}:
            line = self.server.stdout.readline()
            if not line:
                raise RuntimeError("the server ended before it was serving")
            event = json.loads(line)
            seen.add(event["message"])
            self.port = event.get("port", getattr(self, "port", None))
        # From here on its log is discarded.
        subprocess.Popen(["cat"], stdin=self.server.stdout, stdout=subprocess.DEVNULL)

    def close(self):
        try:
            if self.server:
                self.server.terminate()
                self.server.wait(60)
        finally:
            subprocess.run([*STORES, "destroy"], check=True)

    def sql(self, text):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.stores["DATABASE_URL"]], input=text, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def make_devices(self):
        """Ten devices per garden, ten gardens per user."""
        self.keys = ["tdk_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=") for _ in range(self.count)]
        self.ids = [uuid.uuid4() for _ in range(self.count)]
        gardens, users = -(-self.count // 10), -(-self.count // 100)
        rows = "".join(f"{device}\t{number // 10 + 1}\tProbe {number}\t\\\\x{hashlib.sha256(key.encode()).hexdigest()}\n"
                       for number, (device, key) in enumerate(zip(self.ids, self.keys)))
        self.sql(f"""
            INSERT INTO users (id, email, email_key, display_name, role, password_hash, created_at, updated_at)
              SELECT lpad(to_hex(n), 32, '0')::uuid, n || '@example.org', n || '@example.org', 'Rosa', 'user', 'none', now(), now() FROM generate_series(1, {users}) n;
            INSERT INTO gardens (id, owner_id, name, public, created_at, updated_at)
              SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex((n - 1) / 10 + 1), 32, '0')::uuid, 'Garden ' || n, true, now(), now() FROM generate_series(1, {gardens}) n;
            CREATE TEMP TABLE made (id uuid, garden integer, name text, key bytea);
            COPY made FROM STDIN;\n{rows}\\.
            INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
              SELECT id, lpad(to_hex(garden), 32, '0')::uuid, name, key, now(), now() FROM made;
            ANALYZE;""")

    # --- what is measured ---

    def load(self, requests, rate, seconds, age=3_600):
        """Sends a number of requests per second, with readings of a given age in seconds. Returns the load's result,
        and each process's CPU time."""
        (self.folder / "requests").write_bytes(b"\0".join(requests) + b"\0")
        at = int(time.time() - age) * 1000
        before = self.cpu()
        done = subprocess.run([self.folder / "load", "-f", self.folder / "requests", "-o", str(self.port), "-c", str(CONNECTIONS), "-w", "0", "-d", str(seconds),
                               "-r", str(rate), "-t", str(at)], check=True, capture_output=True, text=True)
        return json.loads(done.stdout), self.since(before)

    def cpu(self):
        return {"server": cpu_seconds(self.server.pid), "postgres": cpu_seconds(self.postgres), "redis": cpu_seconds(self.redis)}

    def since(self, before):
        return {name: value - before[name] for name, value in self.cpu().items()}

    def request(self, method, device, path="", body=""):
        return (f"{method} /api/devices/{self.ids[device]}{path} HTTP/1.1\r\nHost: scaling\r\nAuthorization: Bearer {self.keys[device]}\r\n"
                + (f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else "") + f"\r\n{body}").encode()

    def sizes(self):
        """Bytes and rows of raw readings and of 5-minute buckets."""
        row = self.sql("""
            SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'readings'::regclass
            UNION ALL SELECT count(*) FROM readings UNION ALL SELECT pg_total_relation_size('readings_5m') UNION ALL SELECT count(*) FROM readings_5m""")
        return [int(value) for value in row.split()]

    def sealed_bytes(self):
        """Bytes per reading of a sealed day: values with noise of a tenth on a daily wave, at slightly irregular
        times."""
        self.sql(f"""
            INSERT INTO readings_sealed (device_id, sensor_type, start, times, values)
            SELECT d.id, s.type, '2026-01-01Z',
              (SELECT array_agg(n * (86400000 / {DAY_POSTS}) + (random() * 2000)::int ORDER BY n) FROM generate_series(0, {DAY_POSTS} - 1) n),
              (SELECT array_agg(round((20 + 5 * sin(n / 15.3) + random() * 0.4 + hashtext(d.id::text) % 5)::numeric, 1)::float8 ORDER BY n)
               FROM generate_series(0, {DAY_POSTS} - 1) n)
            FROM (SELECT id FROM devices LIMIT {SEALED_DEVICES}) d CROSS JOIN unnest('{{{",".join(SENSORS)}}}'::text[]) s (type)""")
        size, readings = self.sql("SELECT pg_total_relation_size('readings_sealed') UNION ALL SELECT sum(cardinality(times)) FROM readings_sealed").split()
        return int(size) / int(readings)

    def wait_for_rollup(self):
        end = time.monotonic() + ROLLUP_SECONDS
        while self.sql("SELECT EXISTS (SELECT FROM rollup_additions) OR EXISTS (SELECT FROM rollup_queue)") == "t":
            if time.monotonic() > end:
                raise RuntimeError(f"the rollup is not done after {ROLLUP_SECONDS} s")
            time.sleep(0.5)


def measure(binary, devices, seconds):
    """Sends the posts of the devices' busiest seconds, reads histories and opens streams. Returns the cost of one of
    each."""
    host = Host(binary, devices)
    try:
        body = json.dumps({"readings": [{"sensorType": sensor, "value": 20 + index, "measuredAt": MARK} for index, sensor in enumerate(SENSORS)]}, separators=(",", ":"))
        rate = devices * DAY_POSTS / 86_400 * PEAK
        requests = [host.request("POST", index, "/readings", body) for index in range(min(devices, round(rate * seconds)))]
        # The devices' series are known beforehand, as on nearly all days.
        host.load(requests, rate, seconds, age=7_200)
        host.wait_for_rollup()
        empty = host.sizes()
        begin = host.cpu()
        posts, _ = host.load(requests, rate, seconds)
        host.wait_for_rollup()
        # Includes the work that follows: buckets, and Postgres' background processes.
        posts_cpu = host.since(begin)
        full = host.sizes()
        reads, reads_cpu = host.load([host.request("GET", index, "/readings?resolution=5m") for index in range(0, devices, 10)], rate / 10, max(5, seconds / 4))
        memory = resident(host.server.pid)
        streams = []
        for index in range(STREAMS):
            connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=30)
            connection.request("GET", f"/api/gardens/{uuid.UUID(int=index % max(1, devices // 10) + 1)}/events")
            stream = connection.getresponse()
            if stream.status != 200:
                raise RuntimeError(f"stream {index} got status {stream.status}")
            streams.append((connection, stream))
        stream_bytes = max(0, resident(host.server.pid) - memory) / len(streams)
        for connection, stream in streams:
            stream.close()
            connection.close()
        sent, read = posts["requests"], reads["requests"]
        return {
            "devices": devices, "seconds": seconds, "sent": sent, "rate": rate, "stored": full[1] - empty[1],
            "errors": sum(posts.get(name, 0) + reads.get(name, 0) for name in ("bad_status", "broken")),
            "posts": posts, "reads": reads, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "cpu_us_per_post": {name: value / sent * 1e6 for name, value in posts_cpu.items()},
            "cpu_us_per_read": {name: value / read * 1e6 for name, value in reads_cpu.items()},
            "bytes_per_reading": (full[0] - empty[0]) / max(1, full[1] - empty[1]),
            "bytes_per_sealed_reading": host.sealed_bytes(),
            "bytes_per_bucket": (full[2] - empty[2]) / max(1, full[3] - empty[3]),
            "bytes_per_stream": stream_bytes, "resident": memory,
            "connections": int(host.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'terroir%'")),
        }
    finally:
        host.close()
