"""Attacks on the server's memory in a control group of 512 MiB: it survives, serves others, and returns the memory.

Needs root and a writable control group (version 1 or 2); skipped elsewhere.
"""
import pathlib
import resource
import select
import socket
import time
import unittest
import urllib.parse

from Tests.control_group import control_group
from Tests.Live.service import PASSWORD, Service

LIMIT = 512 << 20
# What may remain after an attack: the allocator's caches, and pages of the debug build now in use.
REMAINDER = 64 << 20


class Memory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.group = control_group(LIMIT)
        if cls.group is None:
            raise unittest.SkipTest("cannot make a control group: this needs root and a writable /sys/fs/cgroup")
        cls.addClassCleanup(cls.group.remove)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        if most < 7_000:
            raise unittest.SkipTest("6 000 connections need a limit of 7 000 file descriptors")
        cls.service = Service({"WORKERS": "8", "METRICS_PORT": "0"}, before=cls.group.enter)
        cls.enterClassContext(cls.service)
        cls.address = ("127.0.0.1", urllib.parse.urlsplit(cls.service.url).port)
        cls.service.call("POST", "/api/users", {"email": "rosa@example.org", "password": PASSWORD, "displayName": "Rosa"})
        for path in cls.service.call("GET", "/openapi.json")[1]["paths"]:
            if not path.startswith("/api/") or "metrics" in path:
                continue
            for method in ["GET", "POST", "PATCH", "DELETE"]:
                cls.service.call(method, path.replace("{", "").replace("}", ""))

    def test_anonymous_posts(self):
        head = b"POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n\r\n"
        self.attack(2_200, head + b" " * (1_048_576 - 1))

    def test_unread_metrics(self):
        self.attack(800, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50)

    def test_unread_document(self):
        self.attack(6_000, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 20)

    def attack(self, count, request):
        """Lets a number of clients send a request whose answer they never read, and checks what happens."""
        before = self.resident()
        attackers = [self.connect() for _ in range(count)]
        left = {attacker.fileno(): (attacker, memoryview(request)) for attacker in attackers}
        poll = select.poll()
        for number in left:
            poll.register(number, select.POLLOUT)
        most, end = before, time.monotonic() + 10
        served = refused = 0
        while time.monotonic() < end:
            for number, _ in poll.poll(100)[:500]:
                attacker, rest = left[number]
                try:
                    rest = rest[attacker.send(rest):]
                except BlockingIOError:
                    continue
                except OSError:
                    rest = rest[:0]
                left[number] = (attacker, rest)
                if not rest:
                    poll.unregister(number)
            for method, path, body, wanted in [
                ("GET", "/livez", None, 200), ("GET", "/api/gardens", None, 200),
                ("POST", "/api/sessions", {"email": "rosa@example.org", "password": PASSWORD}, 201),
            ]:
                status, _ = self.service.call(method, path, body)
                self.assertIn(status, (wanted, 503), path)
                served, refused = served + (status == wanted), refused + (status == 503)
            most = max(most, self.resident())
        self.assertIsNone(self.service.process.poll(), "the server was killed")
        for attacker in attackers:
            attacker.close()
        after = self.settled(before + REMAINDER)
        print(f"\n{count} attackers: {before >> 20} MiB before, at most {most >> 20}, {after >> 20} after;"
              f" others were served {served} times and refused {refused} times")
        self.assertEqual(refused, 0)
        self.assertLess(after, before + REMAINDER)

    def connect(self):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(self.address)
        client.setblocking(False)
        return client

    def resident(self):
        text = pathlib.Path(f"/proc/{self.service.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) << 10

    def settled(self, wanted):
        end = time.monotonic() + 30
        while (size := self.resident()) >= wanted and time.monotonic() < end:
            time.sleep(0.2)
        return size
