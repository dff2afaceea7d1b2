"""What no workflow may do, and proof that each rule notices a workflow that does it."""
import os
import pathlib
import re
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKFLOWS = {path.name: path.read_text() for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
CHECKS = re.findall(r'^check "([^"]+)"', (ROOT / "scripts/check").read_text(), re.M)
# An action must be pinned to a commit, with its version in a comment.
PINNED = re.compile(r"^\s*(?:- )?uses: (?:\./\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(?:\.\d+)*)(?: #.*)?$")


def steps(workflow):
    for name, job in workflow["jobs"].items():
        for step in job.get("steps", []):
            yield name, step


def faults(text):
    """A sentence for each rule that a workflow breaks, with the place."""
    found = [f"not pinned by commit and version: {line.strip()}" for line in text.splitlines()
             if re.match(r"\s*(- )?uses:", line) and not PINNED.match(line)]
    workflow = yaml.safe_load(text)
    triggers = workflow[True]  # YAML 1.1 reads `on` as True
    if "pull_request_target" in triggers:
        found.append("pull_request_target runs strangers' code with our permissions")
    if workflow.get("permissions") != {}:
        found.append("permissions are granted to all jobs at once")
    if "group" not in workflow.get("concurrency", {}):
        found.append("no concurrency group")
    for name, job in workflow["jobs"].items():
        if "uses" not in job and not isinstance(job.get("timeout-minutes"), int):
            found.append(f"{name} has no time limit")
        rights = job.get("permissions", {})
        if not isinstance(rights, dict):
            found.append(f"{name} does not list its permissions one by one")
        if re.search(r"latest", str(job.get("runs-on", "")) + str(job.get("container", ""))):
            found.append(f"{name} runs on the latest version, not on a pinned one")
        called = WORKFLOWS.get(job.get("uses", "").removeprefix("./.github/workflows/"), "")
        if set(re.findall(r"secrets\.(\w+)", called)) - {"GITHUB_TOKEN"} and job.get("secrets") != "inherit":
            found.append(f"{name} calls a workflow that gets no secret, not even those of its own environments")
    for name, step in steps(workflow):
        run = step.get("run", "")
        if "${{" in run:
            found.append(f"{name}: an expression in a script runs its value as code")
        for script in re.findall(r"(?<![\w./\"$])scripts/([\w-]+)", run):
            if not os.access(ROOT / "scripts" / script, os.X_OK):
                found.append(f"{name}: there is no scripts/{script}")
        for called in re.findall(r"scripts/check '([^']+)'", run):
            found += [f"{name}: no check is called {part}" for part in called.split("|") if not any(part in check for check in CHECKS)]
        if step.get("uses", "").startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
            found.append(f"{name}: the checkout leaves its token in .git/config")
    return found


class WorkflowPolicy(unittest.TestCase):
    def test_every_workflow_keeps_the_rules(self):
        for name, text in WORKFLOWS.items():
            with self.subTest(workflow=name):
                self.assertEqual(faults(text), [])

    def test_an_action_has_one_pin(self):
        pins = {}
        for text in WORKFLOWS.values():
            for action, commit in re.findall(r"uses: ([\w.-]+/[\w.-]+)\S*@(\w+)", text):
                pins.setdefault(action, set()).add(commit)
        self.assertEqual({action: commits for action, commits in pins.items() if len(commits) > 1}, {})

    def test_only_a_deploy_and_a_release_are_never_cut_off(self):
        for name, text in WORKFLOWS.items():
            cancels = yaml.safe_load(text)["concurrency"]["cancel-in-progress"]
            self.assertEqual(cancels is False, name in ("deploy.yml", "release.yml"), name)

    def test_the_verdict_waits_for_every_job(self):
        jobs = yaml.safe_load(WORKFLOWS["ci.yml"])["jobs"]
        self.assertEqual(set(jobs["verdict"]["needs"]), set(jobs) - {"verdict"})

    def test_whatever_tests_the_whole_is_run(self):
        self.assertLessEqual({path.name for path in (ROOT / "scripts").glob("*-test")}, set(re.findall(r"[\w-]+-test\b", WORKFLOWS["ci.yml"])))

    def test_only_jobs_of_an_environment_may_ask_aws_for_a_role(self):
        for name, text in WORKFLOWS.items():
            for job, description in yaml.safe_load(text)["jobs"].items():
                if "configure-aws-credentials" in str(description):
                    self.assertIn("environment", description, f"{name}: {job}")

    def test_no_long_lived_key_is_used(self):
        for name, text in WORKFLOWS.items():
            self.assertNotRegex(text, "(?i)aws_(secret|access)", name)
            self.assertLessEqual(set(re.findall(r"secrets\.(\w+)", text)), {"WEBHOOK_URL"}, name)

    def test_each_broken_rule_is_noticed(self):
        text = WORKFLOWS["ci.yml"]
        broken = {
            "not pinned": re.sub(r"checkout@\w+ # v[\d.]+", "checkout@v7", text, count=1),
            "not pinned ": re.sub(r"(checkout@\w+) # v[\d.]+", r"\1", text, count=1),
            "one by one": text.replace("permissions: { contents: read }", "permissions: write-all", 1),
            "all jobs at once": text.replace("permissions: {}\n", "permissions: { contents: write }\n", 1),
            "no concurrency": re.sub(r"concurrency:\n(  .*\n)+", "", text),
            "no time limit": text.replace("    timeout-minutes: 5\n", "", 1),
            "the latest": text.replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-latest", 1),
            "as code": text.replace('scripts/changes "$BASE"', "scripts/changes ${{ github.head_ref }}", 1),
            "there is no": text.replace("scripts/changes", "scripts/missing", 1),
            "no check": text.replace("'spelling|links'", "'spelling|lynxes'"),
            "its token": text.replace("with: { persist-credentials: false }", "with: { fetch-depth: 1 }", 1),
            "strangers": text.replace("  pull_request:\n", "  pull_request_target:\n", 1),
        }
        for fault, changed in broken.items():
            with self.subTest(fault=fault):
                self.assertNotEqual(changed, text)
                self.assertIn(fault.strip(), " ".join(faults(changed)))
        self.assertIn("no secret", " ".join(faults(re.sub("    secrets: inherit.*\n", "", WORKFLOWS["release.yml"]))))
