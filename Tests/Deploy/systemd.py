"""A private systemd in its own namespaces that knows only the units of a folder: for tests of units."""
import os
import pathlib
import shutil
import signal
import subprocess

from Tests.Stack.stack import until

# The system's units that any service needs.
NEEDED = ("basic.target", "sysinit.target", "multi-user.target", "sockets.target", "shutdown.target", "umount.target", "final.target", "network-online.target",
          "systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")
START = """
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/log/journal
mount -t tmpfs tmpfs /etc/terroir 2>/dev/null || { mkdir -p /etc/terroir && mount -t tmpfs tmpfs /etc/terroir; }
cp "$1"/etc/* /etc/terroir/
mount --bind "$1"/units /etc/systemd/system
mount --bind "$1"/needed /lib/systemd/system
mount -t tmpfs tmpfs /lib/systemd/system-generators
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || { umount -l /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; }
export container=other SYSTEMD_LOG_TARGET=console
exec /lib/systemd/systemd --system --unit=test.target --show-status=no
"""


class Systemd:
    def __init__(self, folder, units, settings):
        """`units` are files and folders of units, `settings` the files of /etc/terroir, by name."""
        self.folder = pathlib.Path(folder)
        (self.folder / "units").mkdir(parents=True)
        for name in ("etc", "needed"):
            (self.folder / name).mkdir()
        for name in NEEDED:
            shutil.copy(f"/lib/systemd/system/{name}", self.folder / "needed")
        (self.folder / "needed/test.target").write_text("[Unit]\nRequires=systemd-journald.service\n")
        for name, text in units.items():
            (self.folder / "units" / name).parent.mkdir(exist_ok=True)
            (self.folder / "units" / name).write_text(text)
        for name, text in settings.items():
            (self.folder / "etc" / name).write_text(text)
        with open(self.folder / "systemd.log", "w") as log:
            self.outer = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child", "--mount-proc", "bash", "-c", START, "systemd", self.folder],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            until("systemd", lambda: self.inner() and self.ask("systemctl", "is-active", "test.target").stdout == "active\n", 20)
        except AssertionError as failure:
            self.close()
            raise AssertionError(f"{failure}: {(self.folder / 'systemd.log').read_text()[-1000:]}") from None

    def inner(self):
        """The process that is systemd, by its id outside."""
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split()
        return int(children[0]) if children else None

    @property
    def prefix(self):
        """A command prefix that runs it beside this systemd."""
        return ["nsenter", "-t", str(self.inner()), "-m", "-p", "-u", "-i", "-C"]

    def ask(self, *command, check=False):
        return subprocess.run([*self.prefix, *map(str, command)], capture_output=True, text=True, check=check)

    def show(self, unit, name):
        return self.ask("systemctl", "show", "--property", name, "--value", unit).stdout.strip()

    def close(self):
        inner = self.inner()
        if inner:
            self.ask("systemctl", "stop", "terroir*")  # which removes their private folders
            os.kill(inner, signal.SIGKILL)
        self.outer.wait(20)
