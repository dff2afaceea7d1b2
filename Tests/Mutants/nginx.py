"""nginx's configuration, broken a directive at a time, and tested by the tests of the edge on a real nginx."""
import re
import unittest

from Tests.Stack.stack import ROOT
from Tests.Stack.test_attacks import Attacks
from Tests.Stack.test_edge import Edge
from Tests.Stack.test_upstream import Upstream

# Typical slips in a value.
CHANGES = (
    (r"\bon(?=;)", "off"), (r"\boff(?=;)", "on"), (r"\b(\d+)s(?=;)", r"\g<1>m"), (r"\b(\d+)m(?=;)", r"\g<1>00m"), (r"\b(\d+)k(?=;)", r"\g<1>000k"),
    (r"\b(keepalive|\S+_max_concurrent_streams|\S+_tries|worker_connections|gzip_min_length) (\d+)", r"\1 1\g<2>000"),
    (r"(?<=proxy_next_upstream )error timeout", "error timeout non_idempotent http_503"), (r"TLSv1\.2 ", "TLSv1 TLSv1.1 TLSv1.2 "),
    (r"(?<=ssl_ciphers )\S+", "ALL"), (r"\b429\b", "503"), (r"(?<=return )(308|403|404)", "302"), (r" always(?=;)", ""), (r"\$remote_addr", "$http_x_forwarded_for"),
)


class Nginx:
    FILES = sorted(path.name for path in (ROOT / "nginx").glob("*.conf"))
    # Those that fail fastest come first; each has a stack of its own.
    SUITES = (Edge, Upstream, Attacks)
    EQUIVALENT = {
        "worker_processes": "one worker serves as well, only not on all cores",
        "worker_rlimit_nofile": "the limit of the process that starts nginx applies instead",
        "error_log": "where nginx complains while it starts, or of what",
        "sendfile": "speed alone", "tcp_nopush": "speed alone", "gzip_comp_level": "speed alone",
        "ssl_stapling": "no test can have a certificate that names a responder",
        "access_log off": "one more line in the log",
        "fastcgi_temp_path": "nothing goes there", "uwsgi_temp_path": "nothing goes there", "scgi_temp_path": "nothing goes there",
        "zone blue": "memory that workers share, which a single upstream server does not need", "zone green": "as for blue",
        "zone=": "how much memory a zone may take", "shared:tls": "how many sessions are remembered",
        "proxy_read_timeout 10m": "longer than a test waits", "proxy_read_timeout 1h": "longer than a test waits",
        "proxy_send_timeout 10m": "longer than a test waits",
        "proxy_timeout": "it ends only what no other time-out ends",
    }

    def __enter__(self):
        for suite in self.SUITES:
            suite.setUpClass()
        return self

    def __exit__(self, *_):
        for suite in self.SUITES:
            suite.doClassCleanups()

    def original_of(self, _mutant):
        return None

    def mutants(self):
        for name in self.FILES:
            for number, line in enumerate((ROOT / "nginx" / name).read_text().splitlines()):
                code = line.split("#")[0].strip()
                if not code.endswith(";") or code.startswith("include"):
                    continue
                yield f"{name}: left out: {code}", (name, number, ".*", "")
                for pattern, changed in CHANGES:
                    if (other := re.sub(pattern, changed, code)) != code:
                        yield f"{name}: {code} as {other}", (name, number, pattern, changed)

    def noticed(self, mutant):
        """The failure that a test found, or the reason why nginx does not start."""
        def edit(folder):
            if mutant:
                name, number, pattern, changed = mutant
                lines = (folder / name).read_text().splitlines()
                lines[number] = re.sub(pattern, changed, lines[number].split("#")[0])
                (folder / name).write_text("\n".join(lines) + "\n")

        for suite in self.SUITES:
            suite.stack.edits.insert(0, edit)
            try:
                if fault := self.fault(suite):
                    return fault
            finally:
                suite.stack.edits.remove(edit)
        return ""

    @staticmethod
    def fault(suite):
        try:
            suite.stack.stop("nginx")
            suite.stack.start_nginx(**suite.nginx)
        except AssertionError as fault:
            return str(fault)
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(suite):
            result = unittest.TestResult()
            test.run(result)
            if faults := result.failures + result.errors:
                return f"{test}: {faults[0][1]}"
        return ""
