"""How the commands of scripts/backup read their file of settings, and their command line."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from Tests.Stack.stack import ROOT


class Settings(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="terroir-settings-")))
        self.file = self.folder / "backup.env"

    def run_with(self, text, *command, **environment):
        self.file.write_text(text)
        return subprocess.run(command, env={**os.environ, "BACKUP_SETTINGS": str(self.file), **environment}, capture_output=True, text=True, check=True).stdout

    def test_they_are_read_as_systemd_reads_them(self):
        text = ("# a comment\nBACKUP_CONFIGURATION=\"/a /b\"\nBACKUP_STANZA='one'\n  BACKUP_USER=somebody  \nBACKUP_REDIS=\n"
                "BACKUP_S3_REGION=a=b==\nBACKUP_WEBHOOK_FILE=$(touch x)&`y`\nBACKUP_DATABASE=no\nBACKUP_PORT=1")
        names = "CONFIGURATION STANZA USER REDIS S3_REGION WEBHOOK_FILE DATABASE PORT".split()
        shown = "; ".join(f'printf "%s\\n" "$BACKUP_{name}"' for name in names)
        said = self.run_with(text, "bash", "-c", f". {ROOT}/scripts/backup/lib; read_file; {shown}", BACKUP_DATABASE="set before")
        self.assertEqual(said.splitlines(), ["/a /b", "one", "somebody", "", "a=b==", "$(touch x)&`y`", "set before", "1"])

    def test_root_goes_on_as_the_owner_that_they_name(self):
        for name, says in (("runuser", 'echo "$@"'), ("id", "echo 0")):
            (self.folder / name).write_text(f"#!/bin/sh\n{says}\n")
            (self.folder / name).chmod(0o755)
        path = f"{self.folder}:{os.environ['PATH']}"
        status = ROOT / "scripts/backup/status"
        self.assertEqual(self.run_with("BACKUP_OWNER=somebody\n", status, PATH=path), f"-u somebody -- {status}\n")
        self.assertEqual(self.run_with("", status, PATH=path), f"-u postgres -- {status}\n")

    def test_an_option_is_refused_without_its_value(self):
        for name, *options in (("run", "--kind"), ("verify", "--set"), ("restore-test", "--set"),
                               ("restore", "--to", "--into", "--wal", "--set", "--timeline", "--redis", "--configuration")):
            for option in options:
                for arguments in ([option], [option, ""]):
                    done = subprocess.run([ROOT / "scripts/backup" / name, *arguments], capture_output=True, text=True, check=False)
                    self.assertEqual((done.returncode, done.stderr), (64, f"{name}: {option} needs a value: see --help\n"), arguments)
