"""The effect of a deploy in compose on the project's own files, with a mock engine; a real one is tested in
Tests/Image/test_deploy.py."""
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from Tests.Stack.stack import ROOT, until
from Tests.webhook import Webhook

NEW = "terroir@sha256:" + "b" * 64
# Blue serves, all images have the same migrations, and a started container ends at once.
ENGINE = r"""#!/bin/bash
echo "$*" >>"$ENGINE_LOG"
case $* in
  "compose ps "*) [ -z "${SILENT:-}" ] || exit 1 ;;&
  "compose ps --quiet api") echo blue ;;
  "compose config") echo "name: terroir" ;;
  *" user create "*) cat >>"$ENGINE_LOG" ;;
  "compose exec "*) exit "${BACKUP_CODE:-0}" ;;
  *" version") echo "terroir 1.2.3 (revision new)" ;;
esac
"""


class Compose(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terroir-compose-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.project = self.folder / "a project"
        self.project.mkdir()
        self.notices = Webhook()
        self.log = self.folder / "engine.log"
        engine = self.folder / "docker"
        engine.write_text(ENGINE)
        engine.chmod(0o755)

    def copy(self):
        for part in ("scripts", "deploy", "nginx"):
            shutil.copytree(ROOT / part, self.project / part)
        shutil.copy(ROOT / ".env.example", self.project / ".env")

    def deploy(self, *arguments, **environment):
        done = subprocess.run(
            [self.project / "scripts/deploy", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
            env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "ENGINE_LOG": str(self.log), "DEPLOY_SETTINGS": "/nonexistent",
                 "DEPLOY_NOTIFY": self.notices.url, "DEPLOY_BLUE": "127.0.0.1:1", "DEPLOY_GREEN": "127.0.0.1:1", "DEPLOY_START_SECONDS": "1", **environment})
        return done.returncode, done.stdout

    def stages(self):
        return [line.split()[2] for line in (self.project / ".terroir/deploy/journal").read_text().splitlines()]

    def test_the_backup_is_that_of_the_service(self):
        self.copy()
        code, said = self.deploy(NEW)
        self.assertEqual(code, 1, said)
        self.assertIn("compose exec -T backup scripts/backup/run", self.log.read_text().splitlines())
        self.assertEqual(self.stages(), ["begin", "backup", "migrate", "start", "undo", "failed"], said)
        code, said = self.deploy(NEW, BACKUP_CODE="78")
        self.assertEqual(code, 1, said)
        self.assertIn("Not deployed: backups are not set up here", said)

    def test_where_nobody_may_register_the_serving_container_makes_the_accounts_of_the_smoke_test(self):
        class Closed(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                status, body = {"/api/users": (403, b'{"type":"urn:terroir:problem:registration-closed"}'), "/api/sessions": (201, b'{"accessToken":"t"}')}.get(self.path, (500, b""))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Closed)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.copy()
        said = self.deploy("--contract", NEW, DEPLOY_BLUE=f"127.0.0.1:{server.server_port}")[1]
        self.assertIn("smoke: making a garden", said)  # which this server cannot do: the test is signed in
        log = self.log.read_text().splitlines()
        created, = (number for number, line in enumerate(log) if "user create" in line)
        self.assertRegex(log[created], r"^compose exec -T api terroir user create smoke-seller-\w+@terroir\.invalid$")
        self.assertRegex(log[created + 1], r"^smoke-\w+-test$")

    def test_the_settings_stay_as_closed_as_they_were_and_their_owner_s(self):
        self.copy()
        settings = self.project / ".env"
        settings.chmod(0o600)
        if os.getuid() == 0:
            shutil.chown(settings, "nobody")
        before = settings.stat()
        self.assertEqual(self.deploy("--no-backup", NEW)[0], 1)
        after = settings.stat()
        self.assertIn(f"GREEN_IMAGE={NEW}", settings.read_text())
        self.assertEqual((after.st_mode, after.st_uid), (before.st_mode, before.st_uid))

    def test_a_full_disk_leaves_the_settings_as_they_were_and_is_told(self):
        if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", self.project], capture_output=True).returncode:
            self.skipTest("only root may mount a file system to fill")
        self.addCleanup(subprocess.run, ["umount", "-l", self.project], check=True)
        self.copy()
        before = (self.project / ".env").read_bytes()
        code, said = self.deploy("--backup-command", "cat /dev/zero >filler || true", NEW)
        self.assertEqual(code, 1, said)
        self.assertIn("No space left on device", said)
        self.assertEqual((self.project / ".env").read_bytes(), before)
        self.assertIn("Not deployed: ", said)
        self.assertIn("blue keeps serving.", said)
        until("the notice", lambda: any("not deployed" in text for text in self.notices.texts))

    def test_a_secret_that_a_full_disk_kept_away_is_made_by_the_next_run(self):
        if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", self.project], capture_output=True).returncode:
            self.skipTest("only root may mount a file system to fill")
        self.addCleanup(subprocess.run, ["umount", "-l", self.project], check=True)
        (self.project / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/secrets", self.project / "scripts")
        filler = self.project / "filler"
        with open(filler, "wb", buffering=0) as file, self.assertRaises(OSError):
            while True:
                file.write(b"x" * 4096)
        os.truncate(filler, filler.stat().st_size - 3 * 4096)  # room for some of them
        self.assertNotEqual(subprocess.run([self.project / "scripts/secrets"], capture_output=True, check=False).returncode, 0)
        filler.unlink()
        subprocess.run([self.project / "scripts/secrets"], capture_output=True, check=True)
        for name in ("jwt_secret", "postgres_password", "postgres_owner_password", "redis_password"):
            self.assertEqual(len((self.project / "secrets" / name).read_text()), 64, name)

    def test_a_password_is_renewed_with_what_holds_it_and_nothing_else(self):
        (self.project / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/secrets", self.project / "scripts")

        def secrets(*arguments):
            done = subprocess.run([self.project / "scripts/secrets", *arguments], capture_output=True, text=True, check=False)
            return done.returncode, {path.name: path.read_text() for path in (self.project / "secrets").iterdir()}

        before = secrets()[1]
        code, after = secrets("renew", "redis_api_password", "redis_exporter_password")
        self.assertEqual(code, 0)
        self.assertEqual({name for name in before | after if before.get(name) != after.get(name)},
                         {"redis_api_password", "api_redis_url", "redis_exporter_password", "redis_exporter_passwords.json"})
        self.assertEqual(after["api_redis_url"], f"redis://terroir_api:{after['redis_api_password']}@redis:6379/0")
        self.assertEqual(json.loads(after["redis_exporter_passwords.json"])["redis://redis:6379"], after["redis_exporter_password"])
        self.assertEqual(len(after["redis_api_password"]), 64)
        for refused in ("backup_passphrase", "none"):
            self.assertEqual(secrets("renew", refused), (64, after))
        self.assertEqual((self.project / "secrets/redis_api_password").stat().st_mode & 0o777, 0o444)

    def test_the_secret_that_signs_tokens_is_kept_as_the_previous_one(self):
        (self.project / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/secrets", self.project / "scripts")
        folder = self.project / "secrets"

        def pair(*renewed):
            subprocess.run([self.project / "scripts/secrets", *renewed], capture_output=True, check=True)
            return [(folder / name).read_text() for name in ("jwt_secret", "jwt_secret_previous")]

        first, unknown = pair()
        (folder / "jwt_secret_previous").unlink()  # as if there had never been one
        second, previous = pair("renew", "jwt_secret")
        self.assertEqual(previous, first)
        self.assertEqual(pair("renew", "jwt_secret_previous")[0], second)
        leaked = pair("renew", "jwt_secret", "jwt_secret_previous")
        self.assertEqual(len({first, unknown, second, *leaked}), 5)
        self.assertEqual({len(each) for each in leaked}, {64})
        self.assertEqual((folder / "jwt_secret_previous").stat().st_mode & 0o777, 0o444)

    def test_the_superuser_s_password_is_changed_inside_postgres_before_its_file(self):
        (self.project / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/secrets", self.project / "scripts")
        told = self.folder / "told"
        (self.folder / "docker").write_text('#!/bin/sh\necho "$@" >>"$TOLD.arguments"\ncat >"$TOLD"\nexit "${CODE:-0}"\n')
        secret = self.project / "secrets/postgres_password"

        def secrets(*arguments, **environment):
            done = subprocess.run([self.project / "scripts/secrets", *arguments], capture_output=True, text=True, check=False,
                                  env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "TOLD": str(told), **environment})
            return done.returncode, done.stderr

        self.assertEqual(secrets()[0], 0)
        before = secret.read_text()
        for _ in range(2):  # Postgres is down, or has the password before the connection breaks
            code, said = secrets("renew", "postgres_password", CODE="1")
            self.assertNotEqual(code, 0)
            self.assertEqual(secret.read_text(), before)
            kept = self.project / re.search(r"mv -f (\S+) secrets/postgres_password", said)[1]
            after = kept.read_text()
            self.assertIn(f"ALTER ROLE CURRENT_USER PASSWORD '{after}';", told.read_text())
            self.assertNotIn(after, said)
        self.assertEqual(secrets("renew", "postgres_password"), (0, ""))
        self.assertEqual(secret.read_text(), after)
        self.assertEqual([path.name for path in secret.parent.glob(".*")], [])
        self.assertNotEqual(after, before)
        self.assertIn(f"ALTER ROLE CURRENT_USER PASSWORD '{after}';", told.read_text())
        self.assertNotIn(after, (self.folder / "told.arguments").read_text())

    def test_keys_that_were_put_back_are_kept_with_what_follows_from_them(self):
        (self.project / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/secrets", self.project / "scripts")
        made = self.folder / "made"
        for make, show in ((("age-keygen", "-o"), ("age-keygen", "-y")), (("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"), ("ssh-keygen", "-y", "-f"))):
            with self.subTest(make[0]):
                subprocess.run([*make, made], capture_output=True, check=True)
                shutil.rmtree(self.project / "secrets", ignore_errors=True)
                (self.project / "secrets").mkdir()
                shutil.copy(made, self.project / "secrets/backup_identity")
                (self.project / "secrets/backup_passphrase").write_text("of before")
                subprocess.run([self.project / "scripts/secrets"], capture_output=True, check=True)
                self.assertEqual((self.project / "secrets/backup_passphrase").read_text(), "of before")
                self.assertEqual((self.project / "secrets/backup_identity").read_text(), made.read_text())
                self.assertEqual((self.project / "secrets/backup_recipients").read_text().split()[:2],
                                 subprocess.run([*show, made], capture_output=True, text=True, check=True).stdout.split()[:2])
                made.unlink()

    def test_a_renewal_in_a_terminal_asks_nothing_and_shows_no_password(self):
        (self.project / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/secrets", self.project / "scripts")
        shown = self.folder / "shown"
        shown.touch()
        (self.folder / "grep").write_text(f'#!/bin/sh\necho "$@" >>"{shown}"\nexec /bin/grep "$@"\n')
        (self.folder / "grep").chmod(0o755)
        if os.getuid() == 0:  # root is not asked
            for path in (self.folder, self.project, shown):
                shutil.chown(path, "nobody")
        terminal, inner = pty.openpty()
        self.addCleanup(os.close, terminal)
        os.write(terminal, b"\n" * 9)

        def secrets(*arguments):
            done = subprocess.run([self.project / "scripts/secrets", *arguments], stdin=inner, capture_output=True, text=True, timeout=60, check=False,
                                  user="nobody" if os.getuid() == 0 else None, env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"})
            return done.returncode, done.stdout + done.stderr

        self.assertEqual(secrets()[0], 0)
        before = (self.project / "secrets/redis_api_password").read_text()
        self.assertEqual(secrets("renew", "redis_api_password"), (0, ""))
        os.close(inner)
        after = (self.project / "secrets/redis_api_password").read_text()
        self.assertNotEqual(after, before)
        self.assertIn(after, (self.project / "secrets/api_redis_url").read_text())
        self.assertNotIn(before, shown.read_text())
        self.assertEqual([path.name for path in (self.project / "secrets").glob(".*")], [])

    def test_a_renewal_that_ends_early_leaves_nothing(self):
        (self.project / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/secrets", self.project / "scripts")
        subprocess.run([self.project / "scripts/secrets"], capture_output=True, check=True)
        (self.folder / "mv").write_text("#!/bin/sh\nexit 1\n")
        (self.folder / "mv").chmod(0o755)
        done = subprocess.run([self.project / "scripts/secrets", "renew", "redis_password"], capture_output=True, check=False,
                              env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"})
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual([path.name for path in (self.project / "secrets").glob(".*")], [])

    def test_who_serves_is_not_taken_for_gone_where_the_engine_is_silent(self):
        self.copy()
        code, said = self.deploy("--no-backup", NEW, SILENT="yes")
        self.assertEqual(code, 1, said)
        started = [line.split()[-1] for line in self.log.read_text().splitlines() if line.startswith("compose up ")]
        self.assertEqual(started, ["api-green"])
        self.assertIn("blue keeps serving.", said)
