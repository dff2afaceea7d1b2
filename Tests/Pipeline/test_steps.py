"""The steps of the workflows' light jobs, run here."""
import hashlib
import os
import re
import socket
import subprocess
import unittest

from Tests.Pipeline.job import ROOT, Project, git, run
from Tests.webhook import Webhook

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-28\n\n### Added\n\n- Something new.\n\n## [1.2.2] - 2026-10-01\n\n- Older.\n"


class Steps(unittest.TestCase):
    def setUp(self):
        self.project = Project()
        self.addCleanup(self.project.close)

    def changed(self, *names):
        before = git(self.project.folder, "rev-parse", "HEAD")
        self.project.commit("A change", **dict.fromkeys(names, "Other\n"))
        result = run(self.project, "ci.yml", "changes", {"github": {"event": {"before": before}}})
        self.assertIsNone(result.failed, result.text)
        return {name for name, value in result.outputs.items() if value == "true"}

    def test_a_change_of_documents_starts_no_build(self):
        self.assertEqual(self.changed("docs/aws.md", "CHANGELOG.md"), {"documents"})

    def test_a_change_of_infrastructure_is_checked_and_not_compiled_for(self):
        for name in ("renovate.json", ".github/ISSUE_TEMPLATE/bug.yml"):
            self.assertEqual(self.changed(name), {"configuration"}, name)

    def test_a_change_of_code_is_proven_whole(self):
        for name in ("Makefile", "deploy/kubernetes/components/database/restore-test.sh"):
            self.assertEqual(self.changed(name), {"code", "configuration"}, name)

    def test_a_change_of_a_document_is_proven_by_whatever_reads_it(self):
        kinds = {}
        for path in (*ROOT.glob("Tests/**/*.py"), *ROOT.glob("Tests/**/*.swift"), ROOT / "scripts/tidy"):
            kind = "configuration" if re.search("_policy$|^tidy$", path.stem) else "code"
            for document in re.findall(r'(?:/|\+|of:) "((?:docs/)?[\w-]+\.md)"', path.read_text()):
                if (ROOT / document).exists():
                    kinds.setdefault(document, {"documents"}).add(kind)
        self.assertGreater(len(kinds), 8)
        for document, wanted in kinds.items():
            self.assertLessEqual(wanted, self.changed(document), document)

    def test_an_unknown_base_counts_as_a_change_of_everything(self):
        for base in ("", "0" * 40, "--help"):
            result = run(self.project, "ci.yml", "changes", {"github": {"event": {"before": base}}})
            self.assertEqual(set(result.outputs.values()), {"true"}, result.text)

    def test_documents_are_checked(self):
        self.assertIsNone(run(self.project, "ci.yml", "documents").failed)
        self.project.commit("A slip", **{"SECURITY.md": "See [nothing](docs/nothing.md).\n"})
        result = run(self.project, "ci.yml", "documents")
        self.assertEqual(result.failed, "Spelling and links")
        self.assertIn("::error title=links and runbook::", result.text)

    def test_a_check_fails_by_whichever_of_its_parts_does(self):
        for name in ("docker-compose.yml", "docker-compose.staging.yml", "docker-compose.production.yml"):
            good = (self.project.folder / name).read_text()
            for text, code, word in ((good, 0, "ok"), ("services: {api: 3}\n", 1, "FAIL")):
                (self.project.folder / name).write_text(text)
                done = subprocess.run(["scripts/check", "compose files"], cwd=self.project.folder, capture_output=True, text=True)
                self.assertEqual((done.returncode, f"{word} compose files" in " ".join(done.stdout.split())), (code, True), f"{name}: {done.stdout}{done.stderr}")
            (self.project.folder / name).write_text(good)

    def test_what_is_to_be_installed_for_an_unknown_purpose_is_a_fault(self):
        done = subprocess.run(["scripts/install", "micro", "nothing"], cwd=self.project.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 64, done.stderr)
        self.assertIn("unknown purpose 'nothing'; usage: scripts/install build|", done.stderr)

    def test_the_verdict_is_bad_if_any_job_is(self):
        def verdict(**results):
            return run(self.project, "ci.yml", "verdict", {"needs": {name: {"result": result, "outputs": {}} for name, result in results.items()}})
        self.assertIsNone(verdict(changes="success", test="skipped").failed)
        for bad in ("failure", "cancelled"):
            result = verdict(changes="success", check=bad, test=bad)
            self.assertEqual(result.failed, "Every job succeeded or was skipped")
            self.assertIn("::error::Not successful: check, test", result.text)

    def release(self, tag):
        git(self.project.folder, "update-ref", "refs/remotes/origin/main", "main")
        return run(self.project, "release.yml", "verify", environment={"GITHUB_REF_NAME": tag})

    def test_a_release_is_of_the_main_branch_and_described(self):
        self.project.commit("A release", **{"CHANGELOG.md": CHANGELOG})
        good = self.release("v1.2.3")
        self.assertIsNone(good.failed, good.text)
        self.assertEqual(good.outputs, {"version": "1.2.3"})
        self.assertIn("- Something new.", good.text)
        self.assertNotIn("Older", good.text)
        for tag in ("v1.2.4", "v1.2", "v1.2.3; true"):
            self.assertEqual(self.release(tag).failed, "The changelog has its notes")

    def test_a_release_beside_the_main_branch_is_refused(self):
        git(self.project.folder, "update-ref", "refs/remotes/origin/main", "main")
        git(self.project.folder, "checkout", "--quiet", "-b", "aside")
        self.project.commit("Aside", **{"CHANGELOG.md": CHANGELOG})
        self.assertEqual(run(self.project, "release.yml", "verify", environment={"GITHUB_REF_NAME": "v1.2.3"}).failed, "The tag is on the main branch")

    def test_archives_are_the_same_for_the_same_input_and_summed_up(self):
        built = self.project.folder / "built"
        (built / "completions").mkdir(parents=True)
        for name in ("terroir", "swift-backtrace", "terroir.1", "terroir.cdx.json", "completions/bash"):
            (built / name).write_text(name)

        def pack():
            name = subprocess.run(["scripts/release-archive", "built", "1.2.3", "arm64", "release"], cwd=self.project.folder, check=True, capture_output=True, text=True).stdout.strip()
            return hashlib.sha256((self.project.folder / name).read_bytes()).hexdigest()
        first = pack()
        self.assertEqual(pack(), first)
        self.assertIsNone(run(self.project, "release.yml", "publish", only=["Write the archives' checksums"]).failed)
        self.assertEqual((self.project.folder / "release/SHA256SUMS").read_text(), f"{first}  terroir-1.2.3-linux-arm64.tar.gz\n")

    def starts(self, lines):
        """Makes scripts/run skip installing and building, and start these lines of shell; returns the commit."""
        commit = self.project.commit("Nothing is installed", **{"scripts/install": "#!/bin/sh\n"})
        bin = self.project.folder.parent / "bin"
        for path, text in ((bin / "swift", ""), (self.project.folder / ".build/release/terroir", lines)):
            path.parent.mkdir(parents=True)
            path.write_text(f"#!/bin/sh\n{text}")
            path.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        kept = {name: value for name, value in os.environ.items() if name not in ("REVISION", "SOURCE_REVISION")}
        self.environment = kept | {"PATH": f"{bin}:{os.environ['PATH']}", "PORT": port, "DATABASE_URL": "one", "REDIS_URL": "another"}
        return commit

    def test_a_server_of_make_run_is_told_its_commit(self):
        commit = self.starts('[ "$1" != serve ] || echo "serves $REVISION"\n')

        def told(**environment):
            done = subprocess.run(["scripts/run"], cwd=self.project.folder, env=self.environment | environment, capture_output=True, text=True)
            return re.findall("^serves (.+)$", done.stdout, re.M) or done.stderr
        self.assertEqual(told(), [commit])
        self.assertEqual(told(SOURCE_REVISION="mine"), ["mine"])
        (self.project.folder / "Makefile").write_text(".PHONY:\n")
        self.assertEqual(told(), [f"{commit}-dirty"])

    def test_a_server_of_make_run_that_ends_at_once_is_not_said_to_serve(self):
        self.starts('[ "$1" != serve ] || exit 78\n')
        done = subprocess.run(["scripts/run"], cwd=self.project.folder, env=self.environment, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (78, ""), done.stderr)

    def test_a_key_in_the_history_is_found(self):
        self.assertIsNone(run(self.project, "security.yml", "secrets").failed)
        key = "AKIA" + "Q3EGRFZ7LMX2TNWP"
        self.project.commit("A slip", **{"settings.env": f'aws_key = "{key}"\n'})
        self.project.commit("It is gone, but not from the history", **{"settings.env": "\n"})
        result = run(self.project, "security.yml", "secrets")
        self.assertEqual(result.failed, "Scan the whole history")
        self.assertNotIn(key, result.text)

    def test_faults_are_shown_where_they_are(self):
        def annotate(text, **environment):
            return subprocess.run(["scripts/annotate"], cwd=self.project.folder, input=text, check=True, capture_output=True, text=True, env={**os.environ, **environment}).stdout
        text = "/src/Sources/HTTP/Router.swift:12:5: error: 50% of it\n" \
            '\u2718 Test "a" recorded an issue at RouterTests.swift:33:7: Expectation failed: x\n' \
            "FAIL  spelling\nERROR: test_a (Tests.Stack.test_edge.Edge)\nfine\n"
        self.assertEqual(annotate(text, GITHUB_ACTIONS="false"), text)
        lines = annotate(text, GITHUB_ACTIONS="true").splitlines()
        self.assertEqual([line for line in lines if line.startswith("::")], [
            "::error file=Sources/HTTP/Router.swift,line=12::50%25 of it",
            "::error file=Tests/HTTPTests/RouterTests.swift,line=33::Expectation failed: x",
            "::error title=spelling::spelling",
            "::error title=ERROR: test_a (Tests.Stack.test_edge.Edge)::ERROR: test_a (Tests.Stack.test_edge.Edge)",
        ])
        self.assertEqual([line for line in lines if not line.startswith("::")], text.splitlines())

    def test_everybody_is_told_how_a_deploy_went(self):
        webhook = Webhook()
        self.addCleanup(webhook.close)

        def notice(secret=webhook.url, **jobs):
            needs = {name: {"result": result, "outputs": {"outcome": outcome}} for name, (result, outcome) in jobs.items()}
            return run(self.project, "deploy.yml", "notice", {"needs": needs, "inputs": {"image": "x@sha256:1"}, "secrets": {"WEBHOOK_URL": secret}})
        skipped = ("skipped", "")
        self.assertIsNone(notice(staging=("success", "deployed"), production=("success", "deployed"), rollback=skipped).failed)
        self.assertIsNone(notice(staging=("success", "deployed"), production=("failure", "rolled-back"), rollback=skipped).failed)
        self.assertIsNone(notice(staging=("failure", ""), production=skipped, rollback=skipped).failed)
        self.assertIsNone(notice(staging=skipped, production=skipped, rollback=("success", "returned")).failed)
        self.assertEqual(webhook.texts, [
            "Deploy of x@sha256:1: staging succeeded, production succeeded.",
            "Deploy of x@sha256:1: staging succeeded, production failed and was rolled back.",
            "Deploy of x@sha256:1: staging failed.",
            "Deploy of x@sha256:1: rollback went back to the previous release.",
        ])
        self.assertEqual(notice(secret="", staging=("failure", "")).failed, "Post it")
        webhook.status = 404
        self.assertEqual(notice(staging=("failure", "")).failed, "Post it")
