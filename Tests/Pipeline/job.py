"""Runs the `run:` steps of a workflow's job as a runner does, in a clean clone of the project."""
import json
import os
import pathlib
import re
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


class Project:
    """A clone of this checkout with its uncommitted changes, as one commit on `main`."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name) / "project"
        git(ROOT, "clone", "--quiet", str(ROOT), str(self.folder))
        git(self.folder, "checkout", "--quiet", "-B", "main")
        for name in git(ROOT, "ls-files", "--modified", "--others", "--exclude-standard").splitlines():
            source, target = ROOT / name, self.folder / name
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
                target.chmod(source.stat().st_mode)
        self.commit("What is not committed yet")
        # Tools from PyPI are shared, not installed again for each clone.
        (self.folder / ".venv").symlink_to(ROOT / ".venv")

    def commit(self, message, **files):
        for name, text in files.items():
            (self.folder / name).write_text(text)
        git(self.folder, "add", "--all", "--", ".", ":!.venv")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--message", message)
        return git(self.folder, "rev-parse", "HEAD")

    def close(self):
        self.temporary.cleanup()


def evaluate(expression, context):
    """The subset of GitHub's expressions that our `env` uses: paths, toJSON and ||."""
    for alternative in expression.split("||"):
        alternative = alternative.strip()
        whole = re.fullmatch(r"toJSON\((.+)\)", alternative)
        value = context
        for part in (whole[1] if whole else alternative).split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        if whole:
            return json.dumps(value)
        if value != "":
            return str(value)
    return ""


class Result:
    def __init__(self, failed, text, outputs):
        self.failed, self.text, self.outputs = failed, text, outputs  # failed: the name of the step, or None


def run(project, workflow, job, context=None, environment=None, only=None):
    """Runs the steps in order until one fails; `only` names those to run."""
    description = yaml.safe_load((project.folder / ".github/workflows" / workflow).read_text())
    steps = [step for step in description["jobs"][job]["steps"] if "run" in step and (only is None or step["name"] in only)]
    assert steps, f"{job} has no such steps"
    context = {"steps": {}, **(context or {})}
    text = ""
    with tempfile.TemporaryDirectory() as scratch:
        for step in steps:
            output = pathlib.Path(scratch) / "output"
            output.write_text("")
            script = pathlib.Path(scratch) / "script"
            script.write_text(step["run"])
            given = {**(description.get("env") or {}), **(step.get("env") or {})}
            variables = {name: re.sub(r"\$\{\{(.+?)\}\}", lambda found: evaluate(found[1].strip(), context), str(value)) for name, value in given.items()}
            answer = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],  # as GitHub runs `shell: bash`
                cwd=project.folder / step.get("working-directory", "."), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                env={**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output), "RUNNER_TEMP": scratch,
                     "GITHUB_SHA": git(project.folder, "rev-parse", "HEAD"), **(environment or {}), **variables},
            )
            text += answer.stdout
            outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
            context["steps"][step.get("id", "")] = {"outputs": outputs}
            if answer.returncode != 0:
                return Result(step["name"], text, outputs)
    return Result(None, text, context["steps"].get(steps[-1].get("id", ""), {}).get("outputs", {}))
