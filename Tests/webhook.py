"""Where alerts, deploys and backups tell how they are."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook:
    """Takes the JSON that is posted to `url`, or refuses it where `status` is set to that of a failure."""

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
        """What deploys and backups have told."""
        return [body["text"] for body in self.received]

    def alerts(self, name, status="firing", /, **labels):
        """Those of Alertmanager's alerts."""
        return [
            alert for body in self.received for alert in body["alerts"]
            if alert["status"] == status and {"alertname": name, **labels}.items() <= alert["labels"].items()
        ]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
