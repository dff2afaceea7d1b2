"""A certificate by ACME: certbot as the compose profile runs it, a real authority (Pebble) that asks nginx for the proof,
and nginx, which takes the new certificate without losing a request.
"""
import json
import re
import subprocess
import threading
import time
import unittest

from Tests.Stack.stack import ROOT, Stack, free_ports, until

NAME, REFUSED = "terroir.example.test", "refused.example.test"
VALID_SECONDS = 20 * 86400  # less than the thirty days in which certbot renews: each run gets a new one


class Certificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack()
        cls.addClassCleanup(stack.close)
        stack.start_nginx(rate="1000r/s", burst="1000")  # what it answers itself needs no server behind it
        cls.ports = free_ports(("acme", "management", "dns", "dns-management"))
        folder = cls.folder = stack.folder / "authority"
        folder.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
                       check=True, capture_output=True)
        (folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{cls.ports['acme']}", "managementListenAddress": f"127.0.0.1:{cls.ports['management']}",
            "certificate": str(folder / "certificate.pem"), "privateKey": str(folder / "key.pem"),
            "httpPort": stack.port["http"], "tlsPort": stack.port["https"], "certificateValidityPeriod": VALID_SECONDS,
            "domainBlocklist": [REFUSED],
        }}))
        # Its names lead to 127.0.0.1.
        stack.start("names", ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{cls.ports['dns']}", "-defaultIPv6", "",
                    "-management", f"127.0.0.1:{cls.ports['dns-management']}", "-http01", "", "-https01", "", "-tlsalpn01", ""])
        stack.start("authority", ["pebble", "-config", folder / "pebble.json", "-dnsserver", f"127.0.0.1:{cls.ports['dns']}"],
                    lambda: cls.authority("acme", "/dir").status == 200, PEBBLE_VA_NOSLEEP=1, PEBBLE_WFE_NONCEREJECT=0)  # it tests clients by refusing some requests
        (folder / "root.pem").write_text(cls.authority("management", "/roots/0").body)

    @classmethod
    def authority(cls, port, path):
        return cls.stack.curl(f"https://127.0.0.1:{cls.ports[port]}{path}")

    def start_certbot(self, name=NAME):
        scratch = self.stack.folder / "certbot"
        scratch.mkdir(exist_ok=True)
        self.stack.start("certbot", ["sh", ROOT / "nginx/renew"], TMPDIR=scratch, NGINX_CERTIFICATES=self.stack.folder / "nginx/certificates",
                         SERVER_NAME=name, CERTBOT_EMAIL="someone@example.com", CERTBOT_SERVER=f"https://127.0.0.1:{self.ports['acme']}/dir",
                         REQUESTS_CA_BUNDLE=self.folder / "certificate.pem")
        return scratch

    def trusted(self):
        """The serial number of what nginx shows, if a client that trusts the authority alone accepts it."""
        port = self.stack.port["https"]
        done = subprocess.run(["curl", "-s", "--cacert", self.folder / "root.pem", "--resolve", f"{NAME}:{port}:127.0.0.1",
                               f"https://{NAME}:{port}/metrics"], capture_output=True, check=False)
        if done.returncode:
            return None
        shown = subprocess.run(f"openssl s_client -connect 127.0.0.1:{port} -servername {NAME} </dev/null 2>/dev/null | openssl x509 -noout -serial",
                               shell=True, capture_output=True, text=True, check=True)
        return shown.stdout

    def test_a_certificate_is_proven_issued_taken_and_renewed(self):
        self.assertIsNone(self.trusted())  # self-signed yet
        scratch = self.start_certbot()
        try:
            first = until("nginx to show a certificate of the authority", self.trusted, 60)
        except AssertionError as failure:
            self.fail(f"{failure}: {self.stack.log('certbot')[-2000:]}")
        until("what the container's health check looks at", (scratch / "last-run").exists)  # after nginx shows it
        key = self.stack.folder / "nginx/certificates/privkey.pem"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        self.stack.stop("certbot")

        over, statuses = threading.Event(), set()

        # By HTTP/1.1: of HTTP/2, nginx closes a connection that has not asked anything yet (GOAWAY), and its client shall
        # ask again, which curl does not.
        def ask():
            while not over.is_set():
                try:
                    statuses.add(self.stack.curl(self.stack.edge + "/metrics", "--http1.1").status)
                except OSError as lost:
                    statuses.add(str(lost))

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            self.start_certbot()
            until("nginx to show the next one", lambda: (self.trusted() or first) != first, 60)
        finally:
            over.set()
            thread.join()
        self.assertEqual(statuses, {403})
        self.stack.stop("certbot")

    def test_b_a_refusal_leaves_the_old_certificate(self):
        before, scratch = self.trusted(), self.stack.folder / "certbot"
        (scratch / "last-run").unlink()
        self.start_certbot(REFUSED)
        gives_up = re.compile(f"for {REFUSED}\n.*See the logfile", re.S)
        until("certbot to give up", lambda: gives_up.search(self.stack.log("certbot")))
        time.sleep(1)
        self.assertIsNone(self.stack.processes["certbot"].poll())  # it will try again
        self.assertFalse((scratch / "last-run").exists())
        self.assertEqual(self.trusted(), before)
        began = time.monotonic()
        self.stack.stop("certbot")
        self.assertLess(time.monotonic() - began, 5)


if __name__ == "__main__":
    unittest.main()
