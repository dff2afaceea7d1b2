"""The proxy between a task and ElastiCache, as deploy/terraform configures it, in front of a real Redis with TLS."""
import pathlib
import subprocess
import tempfile
import time
import unittest

from Tests.Pipeline.cloud import ROOT, free_port

TEMPLATE = ROOT / "deploy/terraform/modules/service/haproxy.cfg"


class RedisProxy(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.port = free_port()
        for name in ("redis", "stranger"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{name}.key", "-out", f"{name}.crt"], cwd=self.folder, check=True, capture_output=True)
        self.start("redis-server", "--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1", "--tls-cert-file", "redis.crt", "--tls-key-file", "redis.key",
                   "--tls-ca-cert-file", "redis.crt", "--tls-auth-clients", "no", "--requirepass", "token", "--save", "")

    def start(self, *command):
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def proxy(self, host, authorities):
        port = free_port()
        text = TEMPLATE.read_text()
        for name, value in {"host": host, "port": self.port, "authorities": self.folder / authorities, "listen": f"127.0.0.1:{port}"}.items():
            text = text.replace(f"${{{name}}}", str(value))
        (self.folder / "haproxy.cfg").write_text(text)
        self.start("haproxy", "-db", "-f", "haproxy.cfg")
        return port

    def ask(self, port):
        answer = subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(port), "ping"], env={"REDISCLI_AUTH": "token", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
        return answer.stdout.strip()

    def answers(self, port):
        for _ in range(50):
            if self.ask(port) == "PONG":
                return True
            time.sleep(0.1)
        return False

    def test_the_server_reaches_redis_by_tls_without_speaking_it(self):
        self.assertTrue(self.answers(self.proxy("localhost", "redis.crt")))

    def test_a_redis_that_no_known_authority_vouches_for_is_not_reached(self):
        self.assertFalse(self.answers(self.proxy("localhost", "stranger.crt")))

    def test_a_redis_of_another_name_is_not_reached(self):
        self.assertFalse(self.answers(self.proxy("127.0.0.1", "redis.crt")))
