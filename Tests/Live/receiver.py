"""A receiver of webhooks."""
import base64
import hashlib
import hmac
import http.server
import json
import threading


class Receiver:
    """Accepts whatever is posted to `url`; ends on leaving."""

    def __enter__(self):
        self.messages = []  # headers, and the raw body
        self.changed = threading.Condition()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/terroir"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def handler(receiver):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.changed:
                    receiver.messages.append((self.headers, body))
                    receiver.changed.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler

    def wait(self, wanted, secret, seconds=120):
        """The first message whose JSON is wanted, once it has come; its signature must match the secret."""
        def found():
            return next((message for message in self.messages if wanted(json.loads(message[1]))), None)

        with self.changed:
            if not self.changed.wait_for(found, seconds):
                raise AssertionError(f"none of {len(self.messages)} messages is the wanted one")
            headers, body = found()
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        code = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(code).decode()}", headers
        return json.loads(body)
