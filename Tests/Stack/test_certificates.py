"""Certificates by ACME: certbot as the compose profile runs it, real authorities (Pebble) that ask nginx for the proof,
and nginx, which starts using the new certificate without losing a request.
"""
import json
import re
import shutil
import subprocess
import threading
import time
import unittest

from Tests.Stack.stack import ROOT, Stack, free_ports, until

NAME, OTHER, REFUSED = "terroir.example.test", "other.example.test", "refused.example.test"
# Certbot renews thirty days before expiry: a BRIEF certificate at each run, a LASTING one not yet.
BRIEF, LASTING = 20, 90


class Authority:
    """A Pebble whose certificates are valid for the given number of days."""

    def __init__(self, stack, days, resolver):
        self.stack, self.ports = stack, free_ports(("acme", "management"))
        self.folder = folder = stack.folder / f"authority-{days}"
        folder.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
                       check=True, capture_output=True)
        (folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.ports['acme']}", "managementListenAddress": f"127.0.0.1:{self.ports['management']}",
            "certificate": str(folder / "certificate.pem"), "privateKey": str(folder / "key.pem"),
            "httpPort": stack.port["http"], "tlsPort": stack.port["https"], "certificateValidityPeriod": days * 86400,
            "domainBlocklist": [REFUSED],
        }}))
        stack.start(folder.name, ["pebble", "-config", folder / "pebble.json", "-dnsserver", resolver],
                    lambda: self.ask("acme", "/dir").status == 200, PEBBLE_VA_NOSLEEP=1, PEBBLE_WFE_NONCEREJECT=0)  # it tests clients by refusing some requests
        (folder / "root.pem").write_text(self.ask("management", "/roots/0").body)
        self.url = f"https://127.0.0.1:{self.ports['acme']}/dir"

    def ask(self, port, path):
        return self.stack.curl(f"https://127.0.0.1:{self.ports[port]}{path}")


class Certificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack()
        cls.addClassCleanup(stack.close)
        stack.start_nginx(rate="1000r/s", burst="1000")  # what nginx itself answers needs no server
        cls.certificates, cls.scratch = stack.folder / "nginx/certificates", stack.folder / "certbot"
        cls.scratch.mkdir()
        ports = free_ports(("dns", "management"))
        resolver = f"127.0.0.1:{ports['dns']}"  # its names resolve to 127.0.0.1
        stack.start("names", ["pebble-challtestsrv", "-dns01", resolver, "-defaultIPv6", "",
                    "-management", f"127.0.0.1:{ports['management']}", "-http01", "", "-https01", "", "-tlsalpn01", ""])
        cls.brief, cls.lasting = (Authority(stack, days, resolver) for days in (BRIEF, LASTING))

    def start_certbot(self, authority, name=NAME):
        self.last_run.unlink(missing_ok=True)
        self.stack.start("certbot", ["sh", ROOT / "nginx/renew"], TMPDIR=self.scratch, NGINX_CERTIFICATES=self.certificates,
                         SERVER_NAME=name, CERTBOT_EMAIL="someone@example.com", CERTBOT_SERVER=authority.url,
                         REQUESTS_CA_BUNDLE=authority.folder / "certificate.pem")

    @property
    def last_run(self):
        """The file that the container's health check looks at."""
        return self.scratch / "last-run"

    def run_certbot(self, authority, name=NAME):
        """Runs certbot until it succeeds."""
        self.start_certbot(authority, name)
        try:
            until("certbot to be content", self.last_run.exists)
        except AssertionError as failure:
            self.fail(f"{failure}: {self.stack.log('certbot')[-2000:]}")
        self.stack.stop("certbot")

    def trusted(self, authority, name=NAME):
        """The serial number of nginx's certificate, if a client that trusts only this authority accepts it for the
        name."""
        port = self.stack.port["https"]
        done = subprocess.run(["curl", "-s", "--cacert", authority.folder / "root.pem", "--resolve", f"{name}:{port}:127.0.0.1",
                               f"https://{name}:{port}/metrics"], capture_output=True, check=False)
        if done.returncode:
            return None
        shown = subprocess.run(f"openssl s_client -connect 127.0.0.1:{port} -servername {name} </dev/null 2>/dev/null | openssl x509 -noout -serial",
                               shell=True, capture_output=True, text=True, check=True)
        return shown.stdout

    def is_shown(self, authority, name=NAME):
        return until(f"nginx to show a certificate for {name} by {authority.folder.name}", lambda: self.trusted(authority, name))

    def test_a_certificate_is_proven_issued_taken_and_renewed(self):
        self.assertIsNone(self.trusted(self.brief))  # still self-signed
        self.run_certbot(self.brief)
        first = self.is_shown(self.brief)
        self.assertEqual((self.certificates / "privkey.pem").stat().st_mode & 0o777, 0o600)

        over, statuses = threading.Event(), set()

        # Over HTTP/1.1: with HTTP/2, nginx closes a connection without requests (GOAWAY), after which the client should
        # retry, which curl does not.
        def ask():
            while not over.is_set():
                try:
                    statuses.add(self.stack.curl(self.stack.edge + "/metrics", "--http1.1").status)
                except OSError as lost:
                    statuses.add(str(lost))

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            self.run_certbot(self.brief)
            until("nginx to show the next one", lambda: (self.trusted(self.brief) or first) != first)
        finally:
            over.set()
            thread.join()
        self.assertEqual(statuses, {403})

    def test_b_a_refusal_leaves_the_old_certificate(self):
        before = self.trusted(self.brief)
        self.start_certbot(self.brief, REFUSED)
        gives_up = re.compile(f"for {REFUSED}\n.*See the logfile", re.S)
        until("certbot to give up", lambda: gives_up.search(self.stack.log("certbot")))
        time.sleep(1)
        self.assertIsNone(self.stack.processes["certbot"].poll())  # it will retry
        self.assertFalse(self.last_run.exists())
        self.assertEqual(self.trusted(self.brief), before)
        began = time.monotonic()
        self.stack.stop("certbot")
        self.assertLess(time.monotonic() - began, 5)

    def test_c_another_authority_is_asked_at_once_and_its_certificate_kept_until_it_is_due(self):
        self.run_certbot(self.lasting)
        lasting = self.is_shown(self.lasting)
        self.run_certbot(self.lasting)
        self.assertEqual(self.trusted(self.lasting), lasting)
        self.run_certbot(self.brief)  # as after a trial: the present one is far from expiry
        self.is_shown(self.brief)

    def test_d_what_is_held_for_a_name_from_before_is_shown_again(self):
        self.run_certbot(self.lasting)
        first = self.is_shown(self.lasting)
        self.run_certbot(self.lasting, OTHER)
        self.is_shown(self.lasting, OTHER)
        self.run_certbot(self.lasting)
        self.assertEqual(self.is_shown(self.lasting), first)

    def test_e_what_could_not_be_shown_is_shown_by_the_next_run(self):
        self.run_certbot(self.brief)
        before = self.is_shown(self.brief)
        in_the_way = self.certificates / ".privkey.pem"
        in_the_way.mkdir()
        self.start_certbot(self.lasting)
        until("the copy to fail", lambda: "cannot overwrite" in self.stack.log("certbot"))
        time.sleep(1)
        self.assertIsNone(self.stack.processes["certbot"].poll())  # it will retry
        self.assertFalse(self.last_run.exists())
        self.assertEqual(self.trusted(self.brief), before)
        self.stack.stop("certbot")
        shutil.rmtree(in_the_way)
        self.run_certbot(self.lasting)
        self.is_shown(self.lasting)
