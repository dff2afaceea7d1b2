#!/usr/bin/env python3
"""Tests of alertmanager.yml on a real Alertmanager: who is notified of which alert, which alert silences which, and
what arrives at a webhook. Waits are cut to a second here; their real lengths are not tested.

usage: alertmanager_test.py [TEMPLATE [START]]   instead of the files beside this one
"""
import contextlib
import datetime
import http.server
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).parent
PROGRAM = shutil.which("prometheus-alertmanager") or "alertmanager"
DATABASE, POSTGRES = {"alertname": "DependencyDown", "name": "database"}, {"alertname": "StoreUnreachable", "job": "postgres"}
CACHE, REDIS = {"alertname": "DependencyDown", "name": "redis"}, {"alertname": "StoreUnreachable", "job": "redis"}
SERVER, SERVERS = {"alertname": "InstanceDown", "job": "api"}, {"alertname": "ServersDown"}

# Labels of an alert, and who is notified.
ROUTES = [
    ({"severity": "critical"}, "urgent"), ({"severity": "warning"}, "everyday"), ({"severity": "ticket"}, "everyday"),
    ({"severity": "none"}, "everyday"),
]
# An alert, the alerts that it silences, and those that it does not.
SILENCED = [
    (DATABASE, [*({"alertname": name} for name in ("HighErrorRate", "HighResponseTime", "ErrorBudgetBurnFast", "ErrorBudgetBurnSlow", "EdgeDown")), POSTGRES],
     [{"alertname": "LoginFailures"}, CACHE, {"alertname": "Other", "job": "postgres"}]),
    (DATABASE, [], [REDIS]),
    (CACHE, [REDIS], [{"alertname": "HighErrorRate"}, {"alertname": "EdgeDown"}, POSTGRES, {"alertname": "Other", "job": "redis"}]),
    ({"alertname": "Other", "name": "database"}, [], [{"alertname": "HighErrorRate"}, POSTGRES]),
    ({"alertname": "Other", "name": "redis"}, [], [REDIS]),
    # An exporter's trouble silences nothing.
    (POSTGRES, [], [REDIS, {"alertname": "HighErrorRate"}, {"alertname": "EdgeDown"}]),
    (SERVERS, [{"alertname": "MetricsAbsent"}, {"alertname": "EdgeDown"}], [{"alertname": "HighErrorRate"}, SERVER]),
    # Others may still serve.
    (SERVER, [], [{"alertname": "MetricsAbsent"}, {"alertname": "EdgeDown"}]),
    ({"alertname": "Other", "job": "api"}, [], [{"alertname": "EdgeDown"}]),
    ({"alertname": "HighResponseTime"}, [{"alertname": "ResponseTimeAboveTarget"}], [{"alertname": "SensorSilent"}]),
    ({"alertname": "Same", "severity": "critical"}, [{"alertname": "Same", "severity": "warning"}],
     [{"alertname": "Same", "severity": "ticket"}, {"alertname": "Different", "severity": "warning"}]),
    ({"alertname": "Same", "severity": "ticket"}, [], [{"alertname": "Same", "severity": "warning"}]),
]
# Each channel alone: the secrets it needs, and what the configuration of its receivers must contain.
WAYS = {
    "webhook_configs": ({"webhook_url": "http://127.0.0.1:1/"}, ["url"]),
    "slack_configs": ({"slack_url": "http://127.0.0.1:1/"}, ["slack_url", ".CommonLabels.alertname", ".Annotations.summary", ".Annotations.runbook_url"]),
    "email_configs": ({"mail_to": "to@example.com", "mail_from": "from@example.com", "mail_smarthost": "localhost:587", "mail_password": "x"},
                      ["to@example.com"]),
}
MAIL = ('smtp_smarthost: "localhost:587"', 'smtp_from: "from@example.com"', 'smtp_auth_username: "from@example.com"', "mail_password")


class Receiver:
    """A webhook that records the requests to each path."""

    def __init__(self):
        self.groups = groups = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                groups.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def heard(self, path, name, status):
        return [group for place, group in self.groups if place == path
                for alert in group["alerts"] if (alert["labels"]["alertname"], alert["status"]) == (name, status)]


def filled(template, start, folder, secrets):
    """The configuration that `start` makes of a template."""
    shutil.rmtree(folder / "secrets", ignore_errors=True)
    (folder / "secrets").mkdir()
    for name, value in secrets.items():
        (folder / "secrets" / name).write_text(value)
    subprocess.run(["sh", start, template, folder / "filled.yml", "true"], env={"SECRETS": str(folder / "secrets"), "PATH": "/usr/bin:/bin"}, check=True, capture_output=True)
    return folder / "filled.yml"


class Running:
    """An Alertmanager with a configuration."""

    def __init__(self, configuration, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.process = subprocess.Popen(
            [PROGRAM, f"--config.file={configuration}", f"--storage.path={folder}/data", f"--web.listen-address={self.url[7:]}", "--cluster.listen-address="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.kill()
        self.process.wait()

    def ask(self, path, body=None):
        request = urllib.request.Request(f"{self.url}/api/v2/{path}", body and json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or "null")

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError("Alertmanager does not start")
        try:
            return self.ask("status")
        except urllib.error.URLError:
            return None

    def tell(self, *alerts, ended=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        times = {"startsAt": (now - datetime.timedelta(minutes=1)).isoformat(), **({"endsAt": now.isoformat()} if ended else {})}
        self.ask("alerts", [{"labels": labels, "annotations": {"summary": "s", "runbook_url": "r"}, **times} for labels in alerts])

    def told(self):
        """The alerts that are firing."""
        return self.ask("alerts")


def until(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)
    return value


def check(value, expected, what):
    if value != expected:
        raise AssertionError(f"{what}: {value}, not {expected}")


def routes(running, watchdog):
    alerts = [*({"alertname": f"Route{number}", **labels} for number, (labels, _) in enumerate(ROUTES)),
              {"alertname": "Watchdog", "severity": "none"}, {"alertname": "ServersDown", "severity": "none"}]
    running.tell(*alerts)
    until("the alerts", lambda: len(running.told()) == len(alerts))
    found = {alert["labels"]["alertname"]: [receiver["name"] for receiver in alert["receivers"]] for alert in running.told()}
    check(found, {**{f"Route{number}": [receiver] for number, (_, receiver) in enumerate(ROUTES)}, "Watchdog": [watchdog], "ServersDown": ["nobody"]}, "receivers")
    running.tell(*alerts, ended=True)


def silences(running):
    for source, silenced, heard in SILENCED:
        alerts = [source, *silenced, *heard]
        until("no alert", lambda: not running.told())
        running.tell(*alerts)
        until("the alerts", lambda alerts=alerts: len(running.told()) == len(alerts))
        inhibited = lambda: {json.dumps(alert["labels"], sort_keys=True) for alert in running.told() if alert["status"]["inhibitedBy"]}
        check(inhibited(), {json.dumps(labels, sort_keys=True) for labels in silenced}, f"silenced by {source}")
        running.tell(*alerts, ended=True)


def deliveries(running, receiver):
    """The urgent and the everyday receiver are notified when alerts fire and when they are resolved, grouped by name
    and job; the dead man's receiver only of the firing watchdog."""
    alerts = [{"alertname": "Loud", "severity": "critical", "job": job, "instance": instance} for job in ("a", "b") for instance in ("1", "2")]
    alerts += [{"alertname": "Quiet", "severity": "warning", "job": "a"}, {"alertname": "Watchdog", "severity": "none"}]
    running.tell(*alerts)
    for name, path in (("Loud", "/hook"), ("Quiet", "/hook"), ("Watchdog", "/deadman")):
        until(f"{name} to be heard", lambda name=name, path=path: receiver.heard(path, name, "firing"))
    until("both jobs", lambda: {group["groupLabels"].get("job") for group in receiver.heard("/hook", "Loud", "firing")} == {"a", "b"})
    for group in receiver.heard("/hook", "Loud", "firing"):
        check((set(group["groupLabels"]), len({alert["labels"]["job"] for alert in group["alerts"]})), ({"alertname", "job"}, 1), "group")
    running.tell(*alerts, ended=True)
    for name in ("Loud", "Quiet"):
        until(f"the end of {name} to be heard", lambda name=name: receiver.heard("/hook", name, "resolved"))
    time.sleep(1)  # an absence cannot be waited for
    check(receiver.heard("/deadman", "Watchdog", "resolved"), [], "the dead man hears of an end")


def ways(template, start, folder):
    """With only one channel configured, both receivers use it and no other, for resolved alerts too."""
    for way, (secrets, parts) in WAYS.items():
        text = filled(template, start, folder, secrets).read_text()
        subprocess.run(["amtool", "check-config", folder / "filled.yml"], check=True, capture_output=True)
        for name in ("urgent", "everyday"):
            receiver = re.search(rf"^  - name: {name}$(.*?)(?=^  - name|\Z)", text, re.M | re.S)[1]
            check(re.findall(r"(\w+_configs):", receiver), [way], f"ways of {name}")
            check([part for part in [*parts, "send_resolved: true"] if part not in receiver], [], f"{way} of {name} lacks")
        check([part for part in MAIL if part not in text], list(MAIL) if way != "email_configs" else [], f"mail with {way}")


def run(template=HERE / "alertmanager.yml", start=HERE / "start"):
    """The faults found; empty if there are none."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder, receiver = pathlib.Path(scratch), Receiver()
        stack.callback(receiver.server.shutdown)
        quick = folder / "quick.yml"
        quick.write_text(re.sub(r"(group_wait|group_interval|resolve_timeout|repeat_interval): \w+", r"\1: 1s", pathlib.Path(template).read_text()))
        try:
            ways(template, start, folder)
            for secrets, watchdog in (({}, "nobody"), ({"webhook_url": f"{receiver.url}/hook", "deadman_url": f"{receiver.url}/deadman"}, "deadman")):
                running = Running(filled(quick, start, folder, secrets), folder)
                stack.callback(running.close)
                until("Alertmanager to be ready", running.is_ready)
                routes(running, watchdog)
            silences(running)
            deliveries(running, receiver)
        except (AssertionError, subprocess.CalledProcessError, urllib.error.URLError) as fault:
            return str(fault)
    return ""


if __name__ == "__main__":
    sys.exit(run(*map(pathlib.Path, sys.argv[1:])) or 0)
