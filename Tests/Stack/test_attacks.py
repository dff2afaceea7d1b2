"""What one client without an account can take from the others: each attack comes from an address of its own, and
clients at other addresses are served meanwhile.
"""
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time
import unittest

from Tests.Stack.stack import Stack

ATTACKER = "127.0.0.2"
CONNECTIONS, LONG_REQUESTS = 128, 16  # as in nginx/prepare
REQUESTS = 8  # fewer than there: all must arrive before the first one's body times out
MEMORY = 128 << 20  # half of nginx's memory limit in compose


class Attacks(unittest.TestCase):
    nginx = {"rate": "10000r/s", "burst": "10000", "EDGE_REQUESTS": str(REQUESTS)}  # the rate is not tested here

    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack()
        cls.addClassCleanup(stack.close)
        stack.start_stores()
        stack.start_server()
        stack.start_nginx(**cls.nginx)
        login = {"email": "attacks@example.com", "password": "a long enough password"}
        stack.post(stack.api + "/api/users", {**login, "displayName": "Attacks"})
        token = stack.post(stack.api + "/api/sessions", login).json()["accessToken"]
        cls.garden = stack.post(stack.api + "/api/gardens", {"name": "Attacked", "public": True}, "-H", f"Authorization: Bearer {token}").json()["id"]

    def attack(self, port="https", tls=True):
        """A connection of the attacker; it is closed when the test ends."""
        plain = socket.create_connection(("127.0.0.1", self.stack.port[port]), 10, (ATTACKER, 0))
        self.addCleanup(plain.close)
        if not tls:
            return plain
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        wrapped = context.wrap_socket(plain)
        self.addCleanup(wrapped.close)
        return wrapped

    def others_are_served(self):
        began = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.stack.curl(self.stack.edge + "/api/gardens").status, 200)
        self.assertLess(time.monotonic() - began, 10)

    def is_open(self, connection):
        connection.settimeout(0.01)
        try:
            return connection.recv(1) != b""
        except TimeoutError:
            return True
        except OSError:
            return False

    def memory(self):
        """The memory of nginx's processes, in bytes; shared memory counts once in each."""
        master = self.stack.processes["nginx"].pid
        children = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) << 10 for pid in children)

    def test_heads_that_never_end(self):
        for port in ("https", "http"):
            held = []
            for _ in range(CONNECTIONS * 3):
                each = self.attack(port, tls=False)
                try:
                    each.sendall(b"\x16\x03\x01" if port == "https" else b"GET / HTTP/1.1\r\nHost:")
                except OSError:
                    pass  # closed already
                held.append(each)
            time.sleep(0.2)
            self.assertLessEqual(sum(map(self.is_open, held)), CONNECTIONS)
            self.others_are_served()
            for each in held:
                each.close()

    def test_bodies_that_never_end(self):
        size = 1 << 20
        head = f"POST /api/users HTTP/1.1\r\nHost: terroir\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
        held, refused = [], 0
        for _ in range(REQUESTS * 3):
            held.append(self.attack())
            held[-1].sendall(head.encode() + b" " * (64 << 10))
        for each in held:
            each.settimeout(0.2)
            try:
                refused += each.recv(12) == b"HTTP/1.1 429"
            except TimeoutError:
                pass  # it waits for the body
        self.assertGreaterEqual(refused, len(held) - REQUESTS)
        self.others_are_served()
        self.assertLess(self.memory(), MEMORY)

    def test_event_streams_of_one_client(self):
        self.stack.stop("nginx")
        self.stack.start_nginx(rate="10000r/s", burst="10000")
        answers = []
        for _ in range(LONG_REQUESTS * 2):
            each = self.attack()
            each.sendall(f"GET /api/gardens/{self.garden}/events HTTP/1.1\r\nHost: terroir\r\n\r\n".encode())
            answers.append(each.recv(12))
        self.assertLessEqual(answers.count(b"HTTP/1.1 200"), LONG_REQUESTS)
        self.assertGreaterEqual(answers.count(b"HTTP/1.1 429"), LONG_REQUESTS)
        other = subprocess.run(["curl", "-skN", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "2", f"{self.stack.edge}/api/gardens/{self.garden}/events"],
                               capture_output=True, text=True, check=False)
        self.assertEqual(other.stdout, "200")
        self.others_are_served()

    def test_a_log_that_nobody_reads_delays_no_answer(self):
        pid = self.stack.processes["edge-log"].pid
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        done = subprocess.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{time_total}\\n", f"{self.stack.edge}/{'x' * 900}?[1-2000]"],
                              capture_output=True, text=True, check=True, timeout=120)
        times = [float(line) for line in done.stdout.split()]
        self.assertEqual(len(times), 2000)
        self.assertLess(max(times), 1)

    def test_one_network_of_ipv6_is_one_client(self):
        addresses = ("fd54:6572:726f:1::1", "fd54:6572:726f:1:ffff::2", "fd54:6572:726f:2::1")
        for address in addresses:
            if subprocess.run(["ip", "address", "add", f"{address}/128", "dev", "lo", "nodad"], capture_output=True, check=False).returncode:
                self.skipTest("only root may give this host addresses")
            self.addCleanup(subprocess.run, ["ip", "address", "delete", f"{address}/128", "dev", "lo"], check=True)
        self.stack.stop("nginx")
        self.addCleanup(self.stack.start_nginx, rate="10000r/s", burst="10000")
        self.addCleanup(self.stack.stop, "nginx")
        self.stack.start_nginx(rate="1r/m", burst="5")

        def ask(address):
            return self.stack.curl(f"https://[::1]:{self.stack.port['https']}/version", "--interface", address).status

        self.assertEqual([ask(addresses[0]) for _ in range(7)], [200] * 6 + [429])
        self.assertEqual(ask(addresses[1]), 429)
        self.assertEqual(ask(addresses[2]), 200)
