"""A bare Debian in its own namespaces: with its systemd, its packages, and no network but its own."""
import os
import pathlib
import shutil
import signal
import subprocess

from Tests.Stack.stack import until

START = """
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
ip link set lo up
pivot_root . mnt
export container=other SYSTEMD_LOG_TARGET=console
exec /usr/bin/env -i PATH="$PATH" container=other SYSTEMD_LOG_TARGET=console /bin/sh -c 'umount -l /mnt; exec /lib/systemd/systemd --system --unit=multi-user.target --show-status=no'
"""


class BareDebian:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.root = self.folder / "root"
        self.root.mkdir(parents=True)
        with open(self.folder / "log", "w") as self.log:
            subprocess.run(["mmdebstrap", "--variant=minbase", "--include=systemd,systemd-sysv", "bookworm", self.root], check=True, stdout=self.log, stderr=self.log)
        # Units that no test needs, and that would wait for a network.
        for name in ("apt-daily.timer", "apt-daily-upgrade.timer", "getty.target"):
            (self.root / "etc/systemd/system" / name).symlink_to("/dev/null")
        self.start()

    def start(self):
        with open(self.folder / "log", "a") as log:
            self.outer = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--net", "--fork", "--kill-child", "bash", "-ec", START, "start", self.root],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            until("systemd", lambda: self.inner() and self.ask("systemctl", "is-active", "multi-user.target").stdout == "active\n", 60)
        except AssertionError as failure:
            self.close()
            raise AssertionError(f"{failure}: {(self.folder / 'log').read_text()[-2000:]}") from None

    def inner(self):
        """The process that is systemd, by its id outside."""
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def prefix(self, *spaces):
        """A command prefix that runs it beside this systemd; in the host's network unless `-n` is among the
        namespaces."""
        return ["nsenter", "-t", str(self.inner()), "-m", "-p", "-u", "-i", "-C", *spaces, "env", "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]

    def ask(self, *command, check=False):
        return subprocess.run([*self.prefix("-n"), *map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=check)

    def run(self, *command):
        """The output of a command, which must succeed."""
        done = self.ask(*command)
        if done.returncode:
            raise AssertionError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}\n{self.ask('journalctl', '--no-pager', '-n', '40').stdout}")
        return done.stdout

    def apt(self, *arguments):
        """apt with network access, non-interactive."""
        done = subprocess.run([*self.prefix(), "apt-get", "-y", "-q", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"apt {arguments}: {done.stdout[-3000:]}{done.stderr[-2000:]}")
        return done.stdout

    def curl(self, path, *options):
        """A request from within its network: the status, and the body before it."""
        done = subprocess.run(["nsenter", "-t", str(self.inner()), "-n", "curl", "--silent", "--show-error", "--max-time", "30", "--write-out", "\n%{http_code}",
                               *options, f"http://127.0.0.1:3000{path}"], capture_output=True, text=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body or done.stderr

    def files(self):
        """All paths, except below those that change by themselves."""
        listed = subprocess.run(["find", ".", "-xdev", "-not", "-path", "./var/log/*", "-not", "-path", "./var/cache/*", "-not", "-path", "./var/lib/apt/*"],
                                cwd=self.root, capture_output=True, text=True, check=True).stdout
        return set(listed.splitlines())

    def close(self):
        inner = self.inner()
        if inner:
            os.kill(inner, signal.SIGKILL)
        self.outer.wait(20)
        shutil.rmtree(self.folder)
