"""How nginx treats the server, and slow clients: connections are kept, requests that must not be repeated are sent
once, and every wait ends. Times are a tenth of those in nginx/, and at least a second.
"""
import concurrent.futures
import math
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from Tests.Stack.stack import Stack, until

# What may take the server minutes: here it takes longer than nginx waits for anything else.
LONG = [("DELETE", "/api/gardens/1"), ("DELETE", "/api/devices/1"), ("DELETE", "/api/users/me"), ("POST", "/api/gardens/1/insights")]
LONG_SECONDS = 5
IMPORT = "/api/users/me/import"


class Behind:
    """A server that misbehaves: depending on the path it answers, at once or late, stays silent, cuts the connection or
    never stops sending."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections, self.requests, self.given_up = 0, [], 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            while line := lines.readline():
                method, path, _ = line.decode().split()
                length = 0
                while (header := lines.readline().strip()):
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                if path == IMPORT:
                    time.sleep(LONG_SECONDS)  # as while it stores what has arrived
                lines.read(length)
                self.requests.append((method, path))
                if path == "/api/cut":
                    return
                if path == "/api/silent":
                    lines.read(1)  # until nginx gives up
                    return
                if path == "/api/endless":
                    return self.send_without_end(connection)
                if (method, path) in LONG:
                    time.sleep(LONG_SECONDS)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def send_without_end(self, connection):
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65536)
        except OSError:
            self.given_up += 1

    def count(self, method, path):
        return self.requests.count((method, path))


def hurried(folder):
    """A tenth of every time given in seconds, and at least a second."""
    path = folder / "nginx.conf"
    path.write_text(re.sub(r"\b(\d+)s;", lambda match: f"{math.ceil(int(match[1]) / 10)}s;", path.read_text()))


class Upstream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.behind = Behind()
        cls.addClassCleanup(cls.behind.listener.close)
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.edits.append(hurried)
        cls.nginx = {"rate": "1000r/s", "burst": "1000", "server": cls.behind.port}
        cls.stack.start_nginx(**cls.nginx)

    def ask(self, path, *arguments):
        """The status, and the seconds it took."""
        began = time.monotonic()
        return self.stack.curl(self.stack.edge + path, *arguments).status, time.monotonic() - began

    def connect(self, text=""):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        tls = context.wrap_socket(socket.create_connection(("127.0.0.1", self.stack.port["https"]), 10))
        self.addCleanup(tls.close)
        tls.sendall(text.encode())
        return tls

    def closed_after(self, connection, seconds):
        """What was sent until nginx closed a connection, which it did within the given number of seconds."""
        connection.settimeout(seconds)
        began, received = time.monotonic(), b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        self.assertLess(time.monotonic() - began, seconds)
        return received.decode()

    # --- the server ---

    def test_connections_to_the_server_are_kept(self):
        before = self.behind.connections
        subprocess.run(["curl", "-sk", "-o", "/dev/null", f"{self.stack.edge}/api/gardens?[1-60]"], check=True)
        self.assertLess(self.behind.connections - before, 15)

    def test_what_must_not_be_done_twice_is_sent_once(self):
        for method in ("POST", "PATCH"):
            for number in range(1, 4):
                self.ask("/api/gardens")  # a connection is kept, whose loss nginx may mistake for a stale one's
                self.assertEqual(self.ask("/api/cut", "-X", method, "-d", "x")[0], 503)
                self.assertEqual(self.behind.count(method, "/api/cut"), number)

    def test_what_may_be_done_twice_is_tried_again(self):
        self.assertEqual(self.ask("/api/cut")[0], 503)
        self.assertEqual(self.behind.count("GET", "/api/cut"), 2)

    def test_a_silent_server_is_given_up(self):
        status, took = self.ask("/api/silent")
        self.assertEqual(status, 504)
        self.assertGreater(took, 2.5)
        self.assertLess(took, 10)

    def test_what_may_take_the_server_minutes_is_waited_for(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = [pool.submit(self.ask, path, "-X", method, "-d", "{}") for method, path in LONG]
        for (method, path), answer in zip(LONG, asked):
            with self.subTest(method=method, path=path):
                status, took = answer.result()
                self.assertEqual((status, took >= LONG_SECONDS, self.behind.count(method, path)), (200, True, 1))

    def test_an_import_may_wait_for_the_server_to_read_on(self):
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(64 << 20)  # more than sockets hold
            status, took = self.ask(IMPORT, "--data-binary", f"@{file.name}")
        self.assertEqual((status, took >= LONG_SECONDS), (200, True))

    # --- clients ---

    def test_a_head_that_does_not_end_is_given_up(self):
        self.closed_after(self.connect("GET / HTTP/1.1\r\nHost:"), 6)

    def test_a_body_that_stalls_is_given_up(self):
        answer = self.closed_after(self.connect("POST /api/users HTTP/1.1\r\nHost: terroir\r\nContent-Length: 9\r\n\r\nx"), 8)
        self.assertTrue(answer == "" or " 408 " in answer, answer[:40])

    def test_an_idle_connection_is_closed(self):
        answer = self.closed_after(self.connect("GET /api/gardens HTTP/1.1\r\nHost: terroir\r\n\r\n"), 15)
        self.assertIn(" 200 ", answer)

    def test_a_client_that_does_not_read_is_given_up(self):
        before = self.behind.given_up
        self.connect("GET /api/endless HTTP/1.1\r\nHost: terroir\r\n\r\n")
        until("nginx to give it up", lambda: self.behind.given_up > before, 20)
