"""A receiver of messages from alerts, deploys and backups."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook:
    """Accepts JSON posted to `url`, or refuses it with `status` if that is set to a failure."""

    def __init__(self):
        self.received, self.status = [], 204
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if webhook.status < 300:
                    webhook.received.append(body)
                self.send_response(webhook.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def texts(self):
        """The messages of deploys and backups."""
        return [body["text"] for body in self.received]

    def alerts(self, name, status="firing", /, **labels):
        """The alerts that Alertmanager sent."""
        return [
            alert for body in self.received for alert in body["alerts"]
            if alert["status"] == status and {"alertname": name, **labels}.items() <= alert["labels"].items()
        ]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
