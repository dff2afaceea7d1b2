"""Each rule of nginx/, tested by curl on a real nginx in front of the real server."""
import json
import re
import socket
import ssl
import subprocess
import threading
import time
import unittest

from Tests.Stack.stack import ROOT, Answer, Stack, fetch, until


class Edge(unittest.TestCase):
    nginx = {"rate": "50r/s", "burst": "30"}

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.start_stores()
        cls.stack.start_server()
        cls.stack.start_nginx(**cls.nginx)
        email = {"email": "edge@example.com", "password": "a long enough password"}
        cls.stack.post(cls.stack.api + "/api/users", {**email, "displayName": "Edge"})
        token = cls.stack.post(cls.stack.api + "/api/sessions", email).json()["accessToken"]
        cls.user = ("-H", f"Authorization: Bearer {token}")
        made = cls.stack.post(cls.stack.api + "/api/gardens", {"name": "Edge", "public": True}, *cls.user)
        cls.garden = made.json()["id"]

    def get(self, path, *arguments):
        return self.stack.curl(self.stack.edge + path, *arguments)

    def access_log(self):
        lines = [json.loads(line) for line in self.stack.log("edge-log").splitlines()]
        return [line for line in lines if line["message"] == "Request completed"]

    # --- TLS ---

    def test_plain_http_is_redirected_with_its_method_kept(self):
        answer = self.stack.curl(self.stack.plain + "/api/gardens?limit=1", "-X", "POST")
        self.assertEqual(answer.status, 308)
        self.assertEqual(answer["Location"], self.stack.edge + "/api/gardens?limit=1")
        # Where a router maps our ports to the default ones.
        answer = self.stack.curl(self.stack.plain + "/api/gardens?limit=1", "-H", "Host: garden.example")
        self.assertEqual((answer.status, answer["Location"]), (308, "https://garden.example/api/gardens?limit=1"))

    def test_the_acme_challenge_is_served_over_plain_http(self):
        challenge = self.stack.folder / "nginx/certificates/acme/.well-known/acme-challenge/token"
        challenge.write_text("proof")
        answer = self.stack.curl(self.stack.plain + "/.well-known/acme-challenge/token")
        self.assertEqual((answer.status, answer.body), (200, "proof"))

    def test_speaks_http_2_and_tls_1_2_and_1_3_but_no_older_one(self):
        self.assertEqual(self.get("/version", "--http2").version, "HTTP/2")
        for version in ("1.2", "1.3"):
            self.assertEqual(self.get("/version", f"--tlsv{version}", "--tls-max", version).status, 200)
        with self.assertRaises(OSError):
            self.get("/version", "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")

    def test_tls_is_what_mozilla_calls_intermediate_without_tickets(self):
        place = f"127.0.0.1:{self.stack.port['https']}"
        report = self.stack.folder / "sslyze.json"
        done = subprocess.run([ROOT / ".venv/bin/sslyze", "--mozilla_config", "intermediate", "--resum", f"--json_out={report}", place],
                              capture_output=True, text=True, check=False)
        faults = re.findall(r"^ +\* (\w+): ", done.stdout.partition("COMPLIANCE AGAINST")[2], re.M)
        self.assertEqual(faults, ["certificate_path_validation"], done.stdout[-1000:])  # self-signed
        resumption = json.loads(report.read_text())["server_scan_results"][0]["scan_result"]["session_resumption"]["result"]
        self.assertEqual(resumption["tls_ticket_resumption_result"], "NOT_SUPPORTED")
        self.assertEqual(resumption["session_id_resumption_result"], "FULLY_SUPPORTED")

    def test_a_renewed_certificate_is_taken_without_a_restart(self):
        folder = self.stack.folder / "nginx/certificates"
        (folder / "fullchain.pem").unlink()
        subprocess.run(["sh", ROOT / "nginx/certificate"], check=True, env={"NGINX_CERTIFICATES": str(folder), "SERVER_NAME": "renewed.example", "PATH": "/usr/bin:/bin"})
        show = ["sh", "-c", f"openssl s_client -connect 127.0.0.1:{self.stack.port['https']} </dev/null 2>/dev/null | openssl x509 -noout -subject"]
        until("the new certificate", lambda: "renewed.example" in subprocess.run(show, capture_output=True, text=True, check=False).stdout)

    # --- access ---

    def test_metrics_are_for_the_inside(self):
        for path in ("/metrics", "/api/metrics", "/metrics/", "/api/metrics/x", "//metrics", "/api/../metrics", "/%6detrics", "/api//metrics"):
            answer = self.get(path, "--path-as-is")
            self.assertEqual(answer.status, 403, path)
            self.assertNotIn("http_requests_total", answer.body)

    def test_a_browser_that_names_its_page_by_origin_alone_signs_in_on_any_port(self):
        person = {"email": "edge@example.com", "password": "a long enough password"}
        here, plain = self.stack.edge.removeprefix("https://"), self.stack.plain.removeprefix("http://")
        # Reached directly, and through a router: at the default port, or at another one.
        for host, origin, status in ((here, here, 201), (here, plain, 403), ("garden.example", "garden.example", 201), ("garden.example:8443", "garden.example:8443", 201),
                                     ("[2001:db8::1]", "[2001:db8::1]", 201), ("[2001:db8::1]:8443", "[2001:db8::1]:8443", 201), ("garden.example", here, 403),
                                     ("garden.example", "garden.example:8443", 403), ("garden.example:8443", "garden.example", 403)):
            for version in ("--http1.1", "--http2"):
                with self.subTest(host=host, origin=origin, version=version):
                    answer = self.stack.post(self.stack.edge + "/api/sessions/cookie", person, version, "-H", f"Host: {host}", "-H", f"Origin: https://{origin}")
                    self.assertEqual(answer.status, status, answer.body)

    def test_stub_status_is_not_on_the_public_side(self):
        self.assertEqual(self.get("/stub_status").status, 404)
        self.assertIn("Active connections", fetch(f"http://127.0.0.1:{self.stack.port['status']}/stub_status"))

    def test_probes_are_never_limited_and_never_logged(self):
        for path in ("/health", "/api/health", "/livez", "/readyz", "/startupz"):
            statuses = {self.get(path).status for _ in range(10)}
            codes = subprocess.run(
                ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}\n", "--parallel", f"{self.stack.edge}{path}?[1-60]"],
                capture_output=True, text=True, check=True).stdout.split()
            self.assertEqual(statuses | set(map(int, codes)), {200}, path)
        self.get("/api/gardens", "-H", "X-Request-Id: after-the-probes")
        logged = until("nginx's log line", lambda: [l for l in self.access_log() if l["requestId"] == "after-the-probes"] and self.access_log())
        self.assertEqual([l["path"] for l in logged if re.search("z$|health$", l["path"])], [])

    def test_a_client_over_its_rate_gets_429_with_headers_and_a_body(self):
        # A rate so low that even a busy host makes no difference.
        self.stack.stop("nginx")
        self.stack.start_nginx(**{**self.nginx, "rate": "1r/s"})
        self.addCleanup(self.stack.start_nginx, **self.nginx)
        self.addCleanup(self.stack.stop, "nginx")
        answers = self.burst(200)
        refused = [answer for answer in answers if answer.status == 429]
        # The configured burst, less the few requests that checked whether nginx is up.
        self.assertGreaterEqual(sum(answer.status == 200 for answer in answers), 28)
        self.assertGreater(len(refused), 20)
        self.assertEqual(refused[0]["Content-Type"], "application/problem+json")
        self.assertEqual(refused[0]["Retry-After"], "1")
        self.assertEqual(refused[0].all("X-Content-Type-Options"), ["nosniff"])
        self.assertEqual(refused[0].json()["status"], 429)
        time.sleep(1)
        self.assertEqual(self.get("/version").status, 200)

    def test_a_page_is_never_limited_for_all_that_it_loads(self):
        self.stack.stop("nginx")
        self.stack.start_nginx(rate="1r/s", burst="5")
        self.addCleanup(self.stack.start_nginx, **self.nginx)
        self.addCleanup(self.stack.stop, "nginx")
        self.assertEqual({answer.status for answer in self.burst(100, "/assets/terroir.css")}, {200})
        self.assertEqual(self.get("/version").status, 200)

    def burst(self, count, path="/version"):
        """Sends a number of requests on one connection, as fast as they are answered."""
        raw = subprocess.run(["curl", "-sk", "-i", "--http1.1", f"{self.stack.edge}{path}?[1-{count}]"], capture_output=True, text=True, check=True).stdout
        return [Answer(part.replace("\n", "\r\n")) for part in re.split(r"(?=HTTP/1\.1 \d{3})", raw) if part]

    # --- what is passed on in each direction ---

    def test_a_spoofed_address_does_not_reach_the_server(self):
        self.get("/api/gardens", "-H", "X-Forwarded-For: 203.0.113.9", "-H", "X-Real-IP: 203.0.113.9", "-H", "Forwarded: for=203.0.113.9",
                 "-H", "X-Request-Id: spoofed-1", "-A", "203.0.113.9-agent")
        line = until("the server's log line", lambda: next((l for l in self.stack.log("api").splitlines() if "spoofed-1" in l and "Request completed" in l), None))
        self.assertEqual(json.loads(line)["ip"], "127.0.0.1")

    def test_request_id_and_trace_are_passed_both_ways(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        answer = self.get("/api/gardens", "-H", "X-Request-Id: abc.1", "-H", f"traceparent: 00-{trace}-00f067aa0ba902b7-01")
        self.assertEqual(answer.all("X-Request-Id"), ["abc.1"])
        line = until("the server's log line", lambda: next((l for l in self.stack.log("api").splitlines() if "abc.1" in l), None))
        self.assertEqual(json.loads(line)["traceId"], trace)
        logged = until("nginx's log line", lambda: [l for l in self.access_log() if l["requestId"] == "abc.1"])[0]
        self.assertIn(trace, logged["traceparent"])

    def test_an_invalid_request_id_is_replaced_once_for_both_logs(self):
        answer = self.get("/api/gardens", "-H", "X-Request-Id: not valid!")
        made = answer["X-Request-Id"]
        self.assertRegex(made, r"^[0-9a-f]{32}$")
        until("nginx's log line", lambda: [l for l in self.access_log() if l["requestId"] == made])
        until("the server's log line", lambda: made in self.stack.log("api"))

    def test_the_access_log_is_json_without_query_values(self):
        self.get("/api/gardens?limit=1&secret=hush", "-H", "X-Request-Id: quiet")
        line = until("the line", lambda: [l for l in self.access_log() if l["requestId"] == "quiet"])[0]
        self.assertEqual((line["path"], line["statusCode"], line["method"]), ("/api/gardens", "200", "GET"))
        self.assertNotIn("hush", json.dumps(line))

    def test_no_log_has_the_word_that_an_invitation_opens_by(self):
        self.look_for_keys("tiv", "/invitations/", "/api/invitations/")

    def test_no_log_has_a_key_that_got_into_a_path_by_mistake(self):
        for kind in ("trt", "tdk", "tpt", "tiv", "ttk", "tsk", "tpr"):
            self.look_for_keys(kind, "/api/tokens/", "/api/tokens/Bearer%20")

    def test_no_log_has_a_key_whose_letters_are_escaped(self):
        for name, path, logged in (("escaped-1", "/api/tokens/tpt%5Fhush", "/api/tokens/tpt***"), ("escaped-2", "/api/tokens/%74pt_hush", "/api/tokens/***"),
                                   ("escaped-3", "/api/invitations/tiv%5fhush", "/api/invitations/***"), ("plain", "/api/%7Bid%7D/caf%C3%A9", "/api/%7Bid%7D/caf%C3%A9")):
            self.get(path, "-H", f"X-Request-Id: {name}")
            line = until("the line", lambda: [l for l in self.access_log() if l["requestId"] == name])[0]
            self.assertEqual(line["path"], logged)
            until("the server's log line", lambda: f'"requestId":"{name}"' in self.stack.log("api"))
        for escaped in ("%5Fhush", "%5fhush", "pt_hush"):
            self.assertNotIn(escaped, self.stack.log("edge-log") + self.stack.log("api"))

    def look_for_keys(self, kind, *folders):
        for folder in folders:
            name = f"{kind}-{len(folder)}"
            self.get(f"{folder}{kind}_hush", "-H", f"X-Request-Id: {name}")
            line = until("the line", lambda: [l for l in self.access_log() if l["requestId"] == name])[0]
            self.assertEqual(line["path"], folder + "***")
            until("the server's log line", lambda: f'"requestId":"{name}"' in self.stack.log("api"))
        self.assertNotIn(f"{kind}_hush", self.stack.log("edge-log") + self.stack.log("api"))

    def test_security_headers_stand_on_every_kind_of_answer_once(self):
        for path in ("/version", "/api/nothing-here", "/metrics", "/api/gardens", "/health", "/"):
            answer = self.get(path)
            for name in ("X-Content-Type-Options", "Strict-Transport-Security", "Content-Security-Policy", "Referrer-Policy", "X-Frame-Options", "X-Request-Id"):
                self.assertEqual(len(answer.all(name)), 1, f"{name} on {path} ({answer.status}): {answer.all(name)}")
            self.assertNotIn("preload", answer["Strict-Transport-Security"])
            self.assertNotRegex(answer["Server"] or "", r"\d")

    def test_large_json_is_compressed_and_small_is_not(self):
        large = self.get("/openapi.json", "-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-")
        self.assertEqual(large["Content-Encoding"], "gzip")
        self.assertIn("accept-encoding", (large["Vary"] or "").lower())
        self.assertIsNone(self.get("/version", "-H", "Accept-Encoding: gzip")["Content-Encoding"])

    def test_what_a_page_loads_is_compressed(self):
        page = self.get(f"/gardens/{self.garden}").body
        assets = re.findall(r'"(/assets/[^"]+\.(?:js|css))"', page)
        self.assertTrue(assets, page)
        for path in assets:
            answer = self.get(path, "-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-")
            if int(self.get(path)["Content-Length"]) >= 1024:
                self.assertEqual(answer["Content-Encoding"], "gzip", path)

    def test_an_entity_tag_survives_compression_for_if_match(self):
        text = {"description": "a bed of beans " * 100, "name": "Beans", "category": "vegetables"}
        made = self.stack.post(self.stack.edge + "/api/businesses", text, *self.user)
        path = "/api/businesses/" + made.json()["id"]
        tag = self.get(path, "-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-")["ETag"]
        self.assertTrue(tag.startswith("W/"), tag)
        patched = self.stack.post(self.stack.edge + path, {"name": "Peas"}, *self.user, "-H", f"If-Match: {tag}", method="PATCH")
        self.assertEqual(patched.status, 200, patched.body)

    def test_a_304_varies_as_its_200_does(self):
        answer = self.get("/openapi.json", "-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-")
        unchanged = self.get("/openapi.json", "-H", "Accept-Encoding: gzip", "-H", f"If-None-Match: {answer['ETag']}")
        self.assertEqual((unchanged.status, unchanged["Vary"]), (304, answer["Vary"]))

    # --- bodies and failures ---

    def test_what_no_request_can_be_is_refused_as_a_problem(self):
        for head, status in (
            ("GET /100% HTTP/1.1", 400), ("GET /%00 HTTP/1.1", 400), ("G\x01T / HTTP/1.1", 400), ("GET / HTTP/1.1\r\nHost: a b", 400),
            (f"GET /{'x' * 9000} HTTP/1.1", 414), (f"GET / HTTP/1.1\r\nX: {'x' * 9000}", 431), ("TRACE / HTTP/1.1", 405),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip", 501), ("GET / HTTP/9.9", 505),
        ):
            answer = self.raw(head + ("" if "Host:" in head else "\r\nHost: terroir") + "\r\n\r\n")
            self.assertEqual((answer.status, answer["Content-Type"]), (status, "application/problem+json"), head[:40])
            self.assertEqual((answer.json()["status"], answer["X-Content-Type-Options"]), (status, "nosniff"), head[:40])
            self.assertEqual("Allow" in dict(answer.headers), status == 405)
        plain = self.stack.curl(self.stack.edge.replace("https", "http"))
        self.assertEqual((plain.status, plain["Content-Type"], plain["Strict-Transport-Security"]), (400, "application/problem+json", None))

    def raw(self, head):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.stack.port["https"]), 10) as plain, context.wrap_socket(plain) as tls:
            tls.sendall(head.encode())
            tls.settimeout(5)
            answer = b""
            while b"}" not in answer:
                part = tls.recv(65536)
                if not part:
                    break
                answer += part
            return Answer(answer.decode())

    def test_what_clients_get_is_counted_at_the_edge(self):
        before = self.counted(scope="api", origin="server", status="401")
        self.get("/api/users/me")
        until("the server's answer", lambda: self.counted(scope="api", origin="server", status="401") == before + 1)

    def counted(self, **labels):
        text = fetch(f"http://127.0.0.1:{self.stack.port['edge-log']}/metrics")
        selected = [line for line in text.splitlines() if line.startswith("edge_requests_total{") and all(f'{k}="{v}"' in line for k, v in labels.items())]
        self.assertTrue(selected, labels)  # also before the first
        return sum(float(line.split()[-1]) for line in selected)

    def test_a_body_over_the_limit_is_refused_at_the_edge(self):
        big = self.stack.folder / "big"
        big.write_bytes(b"x" * (1 << 20) + b"y")
        answer = self.get("/api/gardens", "-X", "POST", "--data-binary", f"@{big}")
        self.assertEqual((answer.status, answer["Content-Type"]), (413, "application/problem+json"))
        for path in ("/api/users/me/import", "/api/devices/01890000-0000-7000-8000-000000000001/history"):
            self.assertNotEqual(self.get(path, "-X", "POST", "--data-binary", f"@{big}").status, 413, path)

    def test_events_arrive_at_once(self):
        stream = subprocess.Popen(["curl", "-skN", f"{self.stack.edge}/api/gardens/{self.garden}/events"], stdout=subprocess.PIPE)
        self.addCleanup(lambda: (stream.kill(), stream.wait(), stream.stdout.close()))
        device = self.stack.post(f"{self.stack.api}/api/gardens/{self.garden}/devices", {"name": "probe"}, *self.user).json()
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(stream.stdout.readline, b"")), daemon=True).start()
        time.sleep(0.5)
        reading = {"sensorType": "rain", "value": 1, "measuredAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        self.stack.post(f"{self.stack.api}/api/devices/{device['id']}/readings", {"readings": [reading]}, "-H", f"Authorization: Bearer {device['key']}")
        until("the event", lambda: any(b"rain" in line for line in lines), seconds=3)

    def test_the_server_away_is_503_as_a_problem_and_healed_by_its_return(self):
        self.stack.stop("api")
        answer = self.get("/api/gardens")
        self.assertEqual((answer.status, answer["Content-Type"], answer["Retry-After"]), (503, "application/problem+json", "1"))
        self.assertEqual(len(answer.all("Strict-Transport-Security")), 1)
        self.assertEqual(answer.json()["type"], "urn:terroir:problem:unavailable")
        self.get("/invitations/tiv_hidden?ticket=hidden", "-e", f"{self.stack.edge}/invitations/tiv_hidden")
        until("nginx's complaint", lambda: "/invitations/***?ticket=***" in self.stack.log("edge-log"))
        self.assertNotIn("hidden", self.stack.log("edge-log"))
        until("the edge's own answer", lambda: self.counted(scope="api", origin="edge", status="503"))
        self.stack.start_server()
        self.assertEqual(self.get("/api/gardens").status, 200)
