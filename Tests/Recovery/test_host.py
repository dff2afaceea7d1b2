"""The steps of docs/disaster-recovery.md for a plain host, run as written, on Debian's own cluster.

In its own namespaces, where /etc, /opt and others are overlaid: nothing of this host is changed. Needs root.
"""
import datetime
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from Tests.Recovery.site import BINARY, POSTGRES, ROOT

UNITS = ROOT / "deploy/systemd"
VERSION = POSTGRES.parent.name
PREPARE = r"""
set -Eeuo pipefail
ip link set lo up
for place in /etc /opt /usr/local /var/lib; do
  mkdir -p "$SCRATCH$place.upper" "$SCRATCH$place.work"
  mount -t overlay overlay -o "lowerdir=$place,upperdir=$SCRATCH$place.upper,workdir=$SCRATCH$place.work" "$place"
done
mkdir -p /run/postgresql && mount -t tmpfs -o mode=1777 tmpfs /run/postgresql
rm -rf /etc/postgresql/* /var/lib/postgresql/* /etc/terroir /opt/terroir /var/lib/terroir-backup
cp "$BINARY" /usr/local/bin/terroir
cat >/usr/local/bin/systemctl <<'SHIM'
#!/bin/bash
# There is no systemd in here: what the steps ask of it, by Debian's own means.
set -e
case "$*" in
  *postgresql@*) for unit; do :; done
    cluster=${unit#postgresql@VERSION-}
    [ "$1" = restart ] && pg_ctlcluster --skip-systemctl-redirect VERSION "$cluster" stop || true; [ "$1" = stop ] && set -- stop || set -- start
    pg_ctlcluster --skip-systemctl-redirect VERSION "$cluster" "$1" ;;
  daemon-reload | "stop terroir"*) ;;
  "enable --now "*) shift 2; for unit; do [ -e "/etc/systemd/system/$unit" ]; done ;;
  *) exit 64 ;;
esac
SHIM
sed -i "s/VERSION/$VERSION/g" /usr/local/bin/systemctl
chmod +x /usr/local/bin/systemctl
export PATH=/usr/local/bin:$PATH:/usr/sbin HOME=$SCRATCH
pg_createcluster --port 5432 "$VERSION" main -- --data-checksums >/dev/null
systemctl start "postgresql@$VERSION-main"
runuser -u postgres -- createdb terroir
redis-server --port 6379 --bind 127.0.0.1 --dir "$SCRATCH" --daemonize yes --save '' >/dev/null
cd "$ROOT"
mkdir -p /opt/terroir /etc/systemd/system && cp -r --parents deploy/systemd /opt/terroir
export DATABASE_URL=postgres://postgres@%2Frun%2Fpostgresql:5432/terroir REDIS_URL=redis://127.0.0.1:6379/0 JWT_SECRET=0123456789abcdef0123456789abcdef01234567
runuser -u postgres -- terroir migrate
"""
AFTERWARDS = r"""
unit() { sed -n 's/^ExecStart=//p' "/etc/systemd/system/$1.service"; }
runuser -u postgres -- $(unit terroir-backup)
runuser -u postgres -- $(unit terroir-restore-test)
/opt/terroir/scripts/backup/status
runuser -u postgres -- psql -qc 'CREATE TABLE kept (at int); INSERT INTO kept VALUES (7)' terroir
runuser -u postgres -- psql -qXAtc 'SELECT pg_switch_wal()' terroir >/dev/null
STOP
mkdir "$SCRATCH/aside" && mv /var/lib/postgresql/"$VERSION"/main "$SCRATCH/aside/"
/opt/terroir/scripts/backup/restore --to latest
/opt/terroir/scripts/backup/restore --accept
systemctl start "postgresql@$VERSION-main"
shopt -s expand_aliases
ALIAS
echo "kept: $(sql -Atc 'SELECT at FROM kept')"
/opt/terroir/scripts/backup/run --kind full
"""
LOSS = r"""
systemctl stop "postgresql@$VERSION-main"
cp /etc/terroir/backup-passphrase ~
mv /var/lib/terroir-backup/repository "$SCRATCH"
rm -rf /etc/terroir /opt/terroir /var/lib/terroir-backup /etc/postgresql/* /var/lib/postgresql/*
pg_createcluster --port 5432 "$VERSION" main -- --data-checksums >/dev/null
systemctl start "postgresql@$VERSION-main"
"""
BACK = r"""
rmdir /var/lib/terroir-backup/repository && mv "$SCRATCH/repository" /var/lib/terroir-backup
RECOVER
echo "recovered: $(runuser -u postgres -- psql -qXAtc 'SELECT at FROM kept' terroir)"
[ -s /etc/terroir/blue.env ]
UPGRADE
echo "moved: $(runuser -u postgres -- psql -qXAtc 'SELECT at FROM kept' terroir)"
systemctl stop "postgresql@$VERSION-next"
redis-cli shutdown nosave
"""


def block(document, title):
    """The first shell block below a title, for the version of Postgres here."""
    text = re.search(rf"^##+ {title}\n.*?```sh\n(.*?)```", (ROOT / "docs" / document).read_text(), re.M | re.S)[1]
    return text.replace("/15/", f"/{VERSION}/").replace("@15-", f"@{VERSION}-")


class Host(unittest.TestCase):
    def test_the_steps_as_they_are_written(self):
        if os.getuid():
            self.skipTest("only root can make the namespaces in which the steps run")
        steps, serving = block("disaster-recovery.md", "On a plain host"), f"({block('operations.md', 'On a plain host')})\n"
        stop = re.search(r"1\. Stop the server.*`(systemctl stop .*)`", (ROOT / "docs/disaster-recovery.md").read_text())[1].replace("@15-", f"@{VERSION}-")
        # In either order: the servers' settings exist first, and are made again afterwards.
        alias = re.search(r"`(alias sql=.*?)`", (ROOT / "docs/runbook.md").read_text())[1]
        afterwards = "rm /etc/terroir/terroir.env\n" + serving + AFTERWARDS.replace("STOP", stop).replace("ALIAS", alias)
        # On a new host the keys are put back in place of being made.
        again = re.search(r"(?s).*/configure [^\n]*\n", steps)[0]
        again = re.sub(r"(?m)^\(umask.*", "install -m 640 -g postgres ~/backup-passphrase /etc/terroir/backup-passphrase", again)
        again = re.sub(r"(?m)^age-keygen -o .*\n", "", again)
        # Both versions are clusters of the installed version: the newer one is called `next`.
        upgrade = block("disaster-recovery.md", "A new major version of Postgres")
        upgrade = re.sub(r"(?m)^(apt-get install|pg_dropcluster) .*\n", "", upgrade)
        upgrade = upgrade.replace("-v 17 15 main", f"-v {VERSION} --rename=next {VERSION} main")
        upgrade = upgrade.replace("17/main", f"{VERSION}/next").replace("@17-main", f"@{VERSION}-next")
        back = BACK.replace("RECOVER", block("disaster-recovery.md", "A new host")).replace("UPGRADE", upgrade)
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="terroir-host-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, scratch)
        scratch.chmod(0o755)
        (scratch / "script").write_text(PREPARE + serving + steps + afterwards + LOSS + again + back)
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", scratch / "script"],
            env={**os.environ, "SCRATCH": str(scratch), "BINARY": BINARY, "VERSION": VERSION, "ROOT": str(ROOT)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        self.assertEqual(len(re.findall("Backup completed", done.stdout)), 6)
        self.assertIn("Restore test passed", done.stdout)
        self.assertIn("kept: 7", done.stdout)
        self.assertIn("moved: 7", done.stdout)
        self.assertIn("recovered: 7", done.stdout)

    def test_the_timetable_of_the_container(self):
        """The night to Sunday in half a minute, with commands that only print that they are called."""
        self.assertEqual(self.called({}), ["Sat 23 run", "Sun 01 run", "Sun 02 run", "Sun 04 restore-test"])

    def test_what_a_clock_that_was_ahead_has_begun_holds_nothing_up(self):
        self.assertEqual(self.called({name: 4_000_000_000 for name in ("full", "daily", "restore-test")}),
                         ["Sat 23 run", "Sun 01 run", "Sun 02 run", "Sun 04 restore-test"])

    def test_a_backup_that_the_end_of_the_container_interrupts_is_told_and_made_up_for(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            self.lay_out(root, configure="", run="trap 'echo interrupted; exit 143' TERM\necho begun\nsleep 60 &\nwait\n")
            for _ in range(2):
                with subprocess.Popen([root / "deploy/backup/schedule"], stdout=subprocess.PIPE, text=True, env={**os.environ, "BACKUP_STATE": folder}) as process:
                    self.assertEqual(process.stdout.readline(), "begun\n")
                    process.terminate()
                    self.assertEqual((process.stdout.readline(), process.wait(30)), ("interrupted\n", 143))

    def test_no_role_loses_its_password_to_a_file_that_is_missing(self):
        for role in ("OWNER", "API", "EXPORTER", "BACKUP"):
            with self.subTest(role=role):
                done = subprocess.run(["sh", ROOT / "scripts/postgres-roles"], env={**os.environ, f"{role}_PASSWORD_FILE": "/missing"}, capture_output=True, text=True)
                self.assertEqual((done.returncode, "'/missing' is empty or missing" in done.stderr), (66, True))

    @staticmethod
    def lay_out(root, **commands):
        """The schedule in a folder, with commands of its own: their names, and what they do."""
        for name, body in commands.items():
            command = root / "scripts/backup" / name
            command.parent.mkdir(parents=True, exist_ok=True)
            command.write_text(f"#!/bin/sh\n{body}")
            command.chmod(0o755)
        (root / "deploy/backup").mkdir(parents=True)
        shutil.copy(ROOT / "deploy/backup/schedule", root / "deploy/backup")

    def called(self, begun):
        """The first four commands that the schedule runs in the night to Sunday; `begun` maps jobs to their last starts."""
        evening = datetime.datetime(2026, 11, 28, 23, 40, tzinfo=datetime.UTC).timestamp()
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            self.lay_out(root, **{name: f"echo $(date '+%a %H') {name}\n" for name in ("configure", "run", "restore-test")})
            for name, time_of_it in begun.items():
                (root / f".began.{name}").write_text(f"{time_of_it}\n")
            with subprocess.Popen(["faketime", "-f", f"{evening - time.time():+.0f} x600", root / "deploy/backup/schedule"], stdout=subprocess.PIPE, text=True, start_new_session=True,
                                  env={**os.environ, "BACKUP_STATE": folder, "TZ": "UTC", "LC_ALL": "C"}) as process:
                called = [process.stdout.readline().strip() for _ in range(4)]
                os.killpg(process.pid, signal.SIGKILL)
            return called

    def test_units_are_sound_and_confined(self):
        with tempfile.TemporaryDirectory() as folder:
            for unit in [*UNITS.glob("terroir-backup.*"), *UNITS.glob("terroir-restore-test.*")]:
                # The program is elsewhere on this host.
                pathlib.Path(folder, unit.name).write_text(re.sub(r"^ExecStart=/opt/terroir", f"ExecStart={ROOT}", unit.read_text(), flags=re.M))
            units = sorted(pathlib.Path(folder).iterdir())
            self.assertEqual(len(units), 4)
            checked = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))
            for unit in (each for each in units if each.suffix == ".service"):
                rated = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit], capture_output=True, text=True)
                self.assertEqual(rated.returncode, 0, rated.stdout[-300:])
