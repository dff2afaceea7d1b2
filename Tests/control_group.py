"""A control group of this host with a limit on memory, version 1 or 2."""
import os
import pathlib


class ControlGroup:
    def __init__(self, limit):
        name = f"terroir-{os.getpid()}"
        unified = pathlib.Path("/sys/fs/cgroup")
        self.is_unified = (unified / "cgroup.subtree_control").exists()
        self.path = (unified if self.is_unified else unified / "memory") / name
        self.path.mkdir()
        try:
            self.file("memory.max", "memory.limit_in_bytes").write_text(str(limit))
        except OSError:
            self.path.rmdir()
            raise

    def file(self, unified, version1):
        return self.path / (unified if self.is_unified else version1)

    def enter(self):
        """Called in a process before it starts."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        self.path.rmdir()


def control_group(limit):
    """A group limited to a number of bytes; None if it cannot be made, which needs root and a writable
    /sys/fs/cgroup."""
    try:
        return ControlGroup(limit)
    except OSError:
        return None
