"""Releases of this checkout, built by its own script in clean clones."""
import os
import pathlib
import shutil
import subprocess

from Tests.Pipeline.job import Project, git

# Above any real version.
FIRST, NEXT = "900.0.0", "900.0.1"
CHANGELOG = "# Changelog\n\n## [{}] - 2026-11-28\n\n### Added\n\n- Something new.\n\n## [{}] - 2026-10-01\n\n- Older.\n"


def clean_project():
    """A clone without what other tests put beside it."""
    project = Project()
    (project.folder / ".venv").unlink()
    return project


class Releases:
    """`first`, and the release after it, `next`; builds are shared between tests."""

    def __init__(self):
        self.folder = pathlib.Path(os.environ["TERROIR_RELEASES"])
        self.first, self.next = self.folder / "first", self.folder / "next"
        history = self.folder / "history.git"
        if history.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        project = clean_project()
        try:
            for version, target in ((FIRST, self.first), (NEXT, self.next)):
                project.commit("A release", **{"CHANGELOG.md": CHANGELOG.format(version, "899.0.0")})
                git(project.folder, "tag", "--annotate", "--message", version, f"v{version}")
                self.release(project.folder, target)
            # Last: the remains of an interrupted run are built again.
            git(self.folder, "clone", "--quiet", "--bare", str(project.folder), history.name)
        finally:
            project.close()

    def again(self):
        """The first one built again, in a folder with a longer name."""
        target, elsewhere = self.folder / "again", self.folder / "a place with a longer name than the first one has"
        shutil.rmtree(elsewhere, ignore_errors=True)  # left by an interrupted run
        git(self.folder, "clone", "--quiet", "--branch", f"v{FIRST}", "history.git", str(elsewhere))
        self.release(elsewhere, target)
        # If nothing has changed nothing is linked, and the list of linked archives must survive.
        subprocess.run(["scripts/release-binary", ".build-release/twice"], cwd=elsewhere, check=True, capture_output=True, env={
            **os.environ, "BUILD_FOLDER": ".build-release", "TERROIR_VERSION": FIRST, "TERROIR_REVISION": git(elsewhere, "rev-parse", "HEAD")})
        for name in ("terroir", "linked"):
            assert (elsewhere / ".build-release/twice" / name).read_bytes() == (elsewhere / ".build-release/built" / name).read_bytes(), name
        shutil.rmtree(elsewhere)
        return target

    def release(self, folder, target):
        log = self.folder / f"{target.name}.log"
        with open(log, "w") as file:
            done = subprocess.run(["scripts/release"], cwd=folder, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise AssertionError(log.read_text()[-3000:])
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder / "dist", target)

    def one(self, folder, pattern):
        """The only file that matches a name."""
        found = list(folder.glob(pattern))
        assert len(found) == 1, f"{pattern}: {found}"
        return found[0]
