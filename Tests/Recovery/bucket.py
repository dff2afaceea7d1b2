"""A bucket of S3 on this host: rclone, with a certificate of its own."""
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import tempfile

from Tests.Stack.stack import ROOT, free_ports, until

RCLONE = ROOT / ".venv-recovery/bin/rclone"


class Bucket:
    files = ("s3-key", "s3-secret", "s3-ca")

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terroir-bucket-", dir="/var/tmp"))
        (self.folder / "buckets/terroir").mkdir(parents=True)
        self.port = free_ports(("s3",))["s3"]
        self.key, self.secret = secrets.token_hex(10), secrets.token_hex(20)
        self.process = None
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", self.folder / "key.pem", "-out", self.folder / "certificate.pem"],
                       check=True, capture_output=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def start(self):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                [RCLONE, "serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{self.key},{self.secret}", "--vfs-cache-mode", "off",
                 "--cert", self.folder / "certificate.pem", "--key", self.folder / "key.pem", self.folder / "buckets"],
                stdout=log, stderr=log, env={**os.environ, "RCLONE_CONFIG": "/dev/null"})
        until("the bucket", lambda: socket.create_connection(("127.0.0.1", self.port)).close() is None)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def settings(self, site):
        """A site's settings for this bucket; the key and the certificate are written to its files."""
        site.write("s3-key", self.key)
        site.write("s3-secret", self.secret)
        shutil.copy(self.folder / "certificate.pem", site.folder / "etc/s3-ca")
        return {
            "BACKUP_REPOSITORY": "s3://terroir/backups", "BACKUP_S3_ENDPOINT": f"localhost:{self.port}",
            "BACKUP_S3_KEY_FILE": site.folder / "etc/s3-key", "BACKUP_S3_SECRET_FILE": site.folder / "etc/s3-secret",
            "BACKUP_S3_CA_FILE": site.folder / "etc/s3-ca",
        }
