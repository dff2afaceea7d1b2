"""Spans as a real OpenTelemetry receiver reads them: one trace from the client's span through the server to its
stores."""
import importlib.util
import pathlib
import re
import socket
import time
import unittest

from Tests.Stack.stack import Stack, free_ports, until

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def spans(text):
    """The spans that the receiver printed: for each a dictionary of the fields under its heading."""
    resource, found = "", []
    for block in re.split(r"\n(?=ResourceSpans #|Span #)", text):
        if block.startswith("ResourceSpans"):
            resource = block
        elif block.startswith("Span #"):
            fields = dict(re.findall(r"^\s*([A-Za-z ]+?)\s*: (.*)$", block, re.M))
            attributes = dict(re.findall(r"-> ([\w.]+): \w+\((.*)\)", block))
            found.append({**fields, **attributes, "resource": resource})
    return found


class Traces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack()
        cls.addClassCleanup(stack.close)
        stack.start_stores()
        ports = free_ports(("http", "grpc"))
        cls.receiver = [
            pathlib.Path(importlib.util.find_spec("rotel").origin).parent / "rotel-agent", "start", "--exporter", "blackhole",
            "--debug-log", "traces", "--debug-log-verbosity", "detailed",
            "--otlp-http-endpoint", f"127.0.0.1:{ports['http']}", "--otlp-grpc-endpoint", f"127.0.0.1:{ports['grpc']}",
        ]
        cls.accepts = staticmethod(lambda: socket.create_connection(("127.0.0.1", ports["http"]), 1).close() is None)
        stack.start("receiver", cls.receiver, cls.accepts)
        stack.start_server(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{ports['http']}", OTEL_TRACES_SAMPLER_ARG="1", ENVIRONMENT="test")

    def received(self, trace):
        def found():
            mine = [span for span in spans(self.stack.log("receiver")) if span.get("Trace ID") == trace]
            return mine if any(span["Kind"] == "SPAN_KIND_SERVER" for span in mine) else None
        return until(f"the spans of {trace}", found, 20)

    def test_a_request_is_one_trace_from_the_caller_to_the_stores(self):
        login = {"email": "traces@example.com", "password": "a long enough password"}
        self.stack.post(self.stack.api + "/api/users", {**login, "displayName": "Traces"}, "-H", f"traceparent: 00-{TRACE}-{PARENT}-01")
        found = self.received(TRACE)
        server = next(span for span in found if span["Kind"] == "SPAN_KIND_SERVER")
        self.assertEqual(server["Parent ID"], PARENT)
        self.assertEqual(server["Name"], "POST /api/users")
        self.assertEqual((server["http.route"], server["http.response.status_code"], server["http.request.method"]), ("/api/users", "201", "POST"))
        self.assertEqual((server["server.address"], server["server.port"]), ("127.0.0.1", str(self.stack.port["api"])))
        self.assertIn("service.name: Str(terroir)", server["resource"])
        self.assertRegex(server["resource"], r"deployment\.environment(\.name)?: Str\(test\)")
        clients = [span for span in found if span["Kind"] == "SPAN_KIND_CLIENT"]
        self.assertIn("postgresql", {span["db.system.name"] for span in clients})
        self.assertEqual({span["Parent ID"] for span in clients}, {server["ID"]})
        self.assertNotIn("a long enough password", self.stack.log("receiver"))

    def test_a_caller_that_does_not_sample_is_obeyed(self):
        trace = TRACE[::-1]
        self.stack.curl(self.stack.api + "/api/gardens", "-H", f"traceparent: 00-{trace}-{PARENT}-00")
        time.sleep(6)
        self.assertNotIn(trace, self.stack.log("receiver"))

    def test_probes_are_traced_for_a_caller_who_asks_for_it_alone(self):
        for path in ("/livez", "/readyz", "/startupz", "/health", "/api/health", "/metrics", "/api/metrics"):
            self.stack.curl(self.stack.api + path)
        asked = "b" * 32
        self.stack.curl(self.stack.api + "/health", "-H", f"traceparent: 00-{asked}-{PARENT}-01")
        self.received(asked)
        self.stack.curl(self.stack.api + "/version", "-H", f"traceparent: 00-{'c' * 32}-{PARENT}-01")
        self.received("c" * 32)
        probes = [span for span in spans(self.stack.log("receiver")) if re.search(r"/(\w+z|health|metrics)$", span.get("http.route", ""))]
        self.assertEqual([span["Trace ID"] for span in probes], [asked])

    def test_a_receiver_away_costs_no_request_and_is_found_again(self):
        self.stack.stop("receiver")
        statuses = {self.stack.curl(self.stack.api + "/api/gardens").status for _ in range(50)}
        self.stack.start("receiver", self.receiver, self.accepts)
        self.assertEqual(statuses, {200})
        trace = "a" * 32
        self.stack.curl(self.stack.api + "/api/gardens", "-H", f"traceparent: 00-{trace}-{PARENT}-01")
        self.received(trace)
