"""A proxy in front of a server that answers a share of the API's requests by 500, as a bad build would, and adds these
to the metrics it passes on. usage: faulty_front.py PORT METRICS-PORT TO-PORT TO-METRICS-PORT SHARE
"""
import http.client
import random
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, METRICS, TO, TO_METRICS = map(int, sys.argv[1:5])
SHARE = float(sys.argv[5])
failed, lock = 0, threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    to = TO

    def pass_on(self):
        global failed
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # Lets the smoke test pass: only clients' later requests fail.
        if re.match(r"/api/gardens(\?|/)", self.path) and self.command == "GET" and random.random() < SHARE:
            with lock:
                failed += 1
            return self.answer(500, {"X-Faulty": "yes"}, b"broken")
        connection = http.client.HTTPConnection("127.0.0.1", self.to, timeout=30)
        try:
            connection.request(self.command, self.path, body or None, {k: v for k, v in self.headers.items() if k.lower() != "connection"})
            answer = connection.getresponse()
            text = answer.read()
        except OSError:
            return self.answer(502, {}, b"")
        finally:
            connection.close()
        if self.path.endswith("/metrics"):
            text += f'http_requests_total{{method="GET",route="/api/gardens",status="500",status_code="500",status_class="5xx",faulty="yes"}} {failed}\n'.encode()
        self.answer(answer.status, {k: v for k, v in answer.getheaders() if k.lower() not in ("content-length", "connection", "transfer-encoding", "date")}, text)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = pass_on

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Metrics(Handler):
    to = TO_METRICS


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


threading.Thread(target=Server(("127.0.0.1", METRICS), Metrics).serve_forever, daemon=True).start()
Server(("127.0.0.1", PORT), Handler).serve_forever()
