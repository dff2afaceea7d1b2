"""The package, in a bare Debian: installed, used, upgraded under load, and purged."""
import os
import re
import shutil
import tempfile
import threading
import unittest

from Tests.Pipeline.job import ROOT
from Tests.Release.bare import BareDebian
from Tests.Release.releases import FIRST, NEXT, Releases
from Tests.Stack.stack import until

ACCOUNT = ["--header", "Content-Type: application/json", "--data", '{"email": "ada@example.org", "password": "correct horse staple", "displayName": "Ada"}']
SIGN_IN = ["--header", "Content-Type: application/json", "--data", '{"email": "ada@example.org", "password": "correct horse staple"}']
# As in docs/operations.md.
PROMOTE = re.search(r"^/usr/lib/.+ user promote .+$", (ROOT / "docs/operations.md").read_text(), re.M)[0]


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "a Debian of its own needs root")
class Package(unittest.TestCase):
    def setUp(self):
        releases = Releases()
        self.debian = BareDebian(self.enterContext(tempfile.TemporaryDirectory(prefix="terroir-bare-", dir="/var/tmp")) + "/debian")
        self.addCleanup(self.debian.close)
        for folder in (releases.first, releases.next):
            shutil.copy(releases.one(folder, "*.deb"), self.debian.root / "root")
        self.package = {version: f"/root/terroir_{version}_{os.uname().machine.replace('x86_64', 'amd64').replace('aarch64', 'arm64')}.deb" for version in (FIRST, NEXT)}

    def version(self):
        status, body = self.debian.curl("/version")
        self.assertEqual(status, 200, body)
        return re.search(r'"version":"([^"]+)"', body)[1]

    def use(self):
        """As the package's own settings file says: a database once, and the service."""
        settings = (self.debian.root / "etc/terroir/terroir.env").read_text()
        commands = re.findall(r"^#   (runuser .+)$", settings, re.M)
        self.assertEqual(len(commands), 2)
        for command in commands:
            self.debian.run("sh", "-c", command)
        self.debian.run("systemctl", "enable", "--now", "terroir.socket", "terroir.service")
        self.assertEqual(self.debian.curl("/readyz")[0], 200)
        self.assertEqual(self.version(), FIRST)
        self.assertEqual(self.debian.curl("/api/users", *ACCOUNT)[0], 201)
        self.debian.run("sh", "-c", PROMOTE)

    def upgrade(self):
        """Upgrades while a client sends requests continuously; returns the answers other than 200."""
        ended, answers = threading.Event(), []

        def ask():
            while not ended.is_set():
                answers.append(self.debian.curl("/livez"))
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            self.debian.apt("install", self.package[NEXT])
        finally:
            ended.set()
            asking.join()
        self.assertGreater(len(answers), 5)
        return [answer for answer in answers if answer[0] != 200]

    def test_install_use_upgrade_and_purge(self):
        debian = self.debian
        debian.apt("update")
        before = debian.files()
        debian.apt("install", self.package[FIRST])
        self.assertRegex(debian.run("terroir", "version"), rf"^terroir {FIRST} \(revision [0-9a-f]{{40}}, ")
        self.assertEqual(debian.ask("systemctl", "is-active", "terroir.service").stdout, "inactive\n")
        secret = debian.root / "etc/terroir/jwt-secret"
        self.assertEqual(debian.run("stat", "-c", "%a %U %G", "/etc/terroir/jwt-secret", "/etc/terroir/terroir.env"), "640 root terroir\n" * 2)
        said = debian.run("bash", "-c", "cd /lib/systemd/system; systemd-analyze verify ./terroir*.{service,timer,socket} 2>&1 | grep -i terroir | grep -v deploy/i/terroir || true")
        self.assertEqual(said, "")
        for place in ("man/man1/terroir.1.gz", "bash-completion/completions/terroir", "zsh/vendor-completions/_terroir", "fish/vendor_completions.d/terroir.fish", "doc/terroir/copyright"):
            self.assertTrue((debian.root / "usr/share" / place).is_file(), place)
        self.use()

        settings = debian.root / "etc/terroir/terroir.env"
        settings.write_text(settings.read_text() + "LOG_LEVEL=warning\n")
        kept = settings.read_text(), secret.read_text()
        self.assertEqual(self.upgrade(), [])
        self.assertEqual(self.version(), NEXT)
        self.assertEqual((settings.read_text(), secret.read_text()), kept)
        self.assertEqual(debian.curl("/api/sessions", *SIGN_IN)[0], 201)

        debian.apt("remove", "terroir")
        self.assertEqual(debian.curl("/livez")[0], 0)
        self.assertEqual((settings.read_text(), secret.read_text()), kept)
        debian.apt("purge", "terroir")
        left = {path for path in debian.files() - before if "terroir" in path}
        self.assertEqual(left, set())
        for name in ("passwd", "group", "shadow", "gshadow"):
            self.assertNotIn("terroir", (debian.root / "etc" / name).read_text())
        self.assertEqual(debian.run("runuser", "-u", "postgres", "--", "psql", "-qAtc", "SELECT email FROM users", "terroir"), "ada@example.org\n")

    def test_a_crash_says_where_it_was(self):
        debian = self.debian
        debian.apt("update")
        debian.apt("install", self.package[FIRST])
        self.use()
        debian.run("systemctl", "kill", "--signal=SIGSEGV", "--kill-whom=main", "terroir.service")
        until("a backtrace", lambda: re.search("Thread 0 .*crashed:", debian.run("journalctl", "--no-pager", "--unit", "terroir.service")))
        until("the next process", lambda: debian.curl("/readyz")[0] == 200)
