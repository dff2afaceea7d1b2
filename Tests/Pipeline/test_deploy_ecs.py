"""scripts/deploy-ecs against a stand-in for AWS: what is deployed, and what is put back."""
import signal
import subprocess
import tempfile
import unittest

from Tests.Pipeline.cloud import ROOT, Cloud
from Tests.Stack.stack import until


def image(letter):
    return f"ghcr.io/example/terroir@sha256:{letter * 64}"


class DeployECS(unittest.TestCase):
    def setUp(self):
        self.cloud = Cloud()
        self.addCleanup(self.cloud.close)
        self.cloud.prepare(image("a"))

    def deploy(self, *arguments, **environment):
        with tempfile.NamedTemporaryFile("r") as output:
            answer = subprocess.run([ROOT / "scripts/deploy-ecs", *arguments], env={**self.cloud.environment, "GITHUB_OUTPUT": output.name, **environment},
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
            return answer.returncode, answer.stdout, output.read().strip()

    def test_a_release_is_backed_up_migrated_served_and_watched(self):
        code, text, outcome = self.deploy("--for", "5m", "staging", image("b"))
        self.assertEqual((code, outcome), (0, "outcome=deployed"), text)
        self.assertEqual(self.cloud.served(), image("b"))
        self.assertEqual(self.cloud.commands, [["migrate"], ["watch", "--url", "http://10.0.0.7:3000", "--metrics", "http://10.0.0.7:9464/metrics", "--for", "5m"]])
        order = [self.cloud.calls.index(call) for call in ("CreateDBSnapshot", "RunTask", "TagResource", "UpdateService")]
        self.assertEqual(order, sorted(order))

    def test_of_its_snapshots_the_newest_ten_stay_and_every_other(self):
        rds = self.cloud.client("rds")
        own = [f"terroir-staging-before-2026010100{number:04}" for number in range(11)]
        for name in (*own, "terroir-staging-by-hand"):
            rds.create_db_snapshot(DBInstanceIdentifier="terroir-staging", DBSnapshotIdentifier=name)
        code, text, _ = self.deploy("staging", image("b"))
        self.assertEqual(code, 0, text)
        left = {snapshot["DBSnapshotIdentifier"] for snapshot in rds.describe_db_snapshots()["DBSnapshots"]}
        self.assertEqual(left & {*own, "terroir-staging-by-hand"}, {*own[2:], "terroir-staging-by-hand"})
        self.assertEqual(len(left), 11)
        self.assertGreater(self.cloud.calls.index("DeleteDBSnapshot"), self.cloud.calls.index("UpdateService"))

    def test_the_other_containers_and_the_secrets_stay(self):
        self.deploy("staging", image("b"))
        definition = self.cloud.ecs.describe_task_definition(taskDefinition="terroir-staging-api")["taskDefinition"]
        self.assertEqual([container["image"] for container in definition["containerDefinitions"]], ["haproxy:3", image("b")])
        self.assertEqual(definition["containerDefinitions"][1]["secrets"], [{"name": "JWT_SECRET", "valueFrom": "arn:secret"}])

    def test_a_migration_that_fails_changes_nothing_else(self):
        self.cloud.exits["migrate"] = 1
        code, text, outcome = self.deploy("staging", image("b"))
        self.assertEqual((code, outcome), (1, ""), text)
        self.assertNotIn("UpdateService", self.cloud.calls)
        self.assertEqual(self.cloud.served(), image("a"))

    def test_a_migration_that_does_not_end_is_stopped(self):
        self.cloud.exits["migrate"] = None
        code, text, _ = self.deploy("staging", image("b"), DEPLOY_ONCE_SECONDS="1")
        self.assertEqual(code, 1, text)
        self.assertIn("StopTask", self.cloud.calls)
        self.assertNotIn("UpdateService", self.cloud.calls)

    def test_what_never_comes_up_is_put_back(self):
        self.cloud.broken = image("b")
        code, text, outcome = self.deploy("staging", image("b"))
        self.assertEqual((code, outcome), (1, "outcome=rolled-back"), text)
        self.assertIn("The new release did not come up.", text)
        self.assertEqual(self.cloud.served(), image("a"))

    def test_a_question_that_aws_does_not_answer_puts_nothing_back(self):
        self.cloud.unsteady = {"DescribeServices", "ListTasks", "DescribeTasks"}
        code, text, outcome = self.deploy("staging", image("b"))
        self.assertEqual((code, outcome), (0, "outcome=deployed"), text)
        self.assertEqual(self.cloud.served(), image("b"))

    def test_what_the_watch_finds_worse_or_cannot_tell_is_put_back(self):
        for verdict, letter in ((1, "b"), (3, "c")):
            self.cloud.exits["watch"] = verdict
            code, text, outcome = self.deploy("staging", image(letter))
            self.assertEqual((code, outcome), (1, "outcome=rolled-back"), text)
            self.assertEqual(self.cloud.served(), image("a"))

    def test_what_cannot_be_used_is_put_back(self):
        code, text, outcome = self.deploy("--smoke", "http://127.0.0.1:1", "staging", image("b"))
        self.assertEqual((code, outcome), (1, "outcome=rolled-back"), text)
        self.assertEqual(self.cloud.served(), image("a"))

    def test_a_rollback_goes_to_the_release_before_and_back_again(self):
        code, text, _ = self.deploy("staging", "rollback")
        self.assertEqual(code, 1, text)
        self.assertIn("no previous release", text)
        self.deploy("staging", image("b"))
        code, text, outcome = self.deploy("staging", "rollback")
        self.assertEqual((code, outcome), (0, "outcome=returned"), text)
        self.assertEqual(self.cloud.served(), image("a"))
        self.deploy("staging", "rollback")
        self.assertEqual(self.cloud.served(), image("b"))

    def test_a_release_that_is_deployed_again_does_not_displace_the_release_before(self):
        for _ in range(2):
            code, text, _ = self.deploy("staging", image("b"))
            self.assertEqual(code, 0, text)
        code, text, _ = self.deploy("staging", "rollback")
        self.assertEqual((code, self.cloud.served()), (0, image("a")), text)

    def test_an_interruption_puts_back_what_served_and_the_release_before_it(self):
        self.deploy("staging", image("b"))
        self.cloud.exits["watch"] = None
        for letter, name in (("c", signal.SIGINT), ("d", signal.SIGTERM)):
            begun = self.cloud.calls.count("RunTask")
            deploy = subprocess.Popen([ROOT / "scripts/deploy-ecs", "staging", image(letter)], env=self.cloud.environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.addCleanup(deploy.kill)
            until("the watch", lambda: self.cloud.calls.count("RunTask") == begun + 2, 120)
            self.assertEqual(self.cloud.served(), image(letter))
            deploy.send_signal(name)
            self.assertIn("The deploy was interrupted. The old release is put back.", deploy.communicate(timeout=60)[0])
            self.assertEqual((deploy.returncode, self.cloud.served()), (1, image("b")))
        code, text, _ = self.deploy("staging", "rollback")
        self.assertEqual((code, self.cloud.served()), (0, image("a")), text)

    def test_a_lost_terminal_puts_back_what_served(self):
        self.cloud.exits["watch"] = None
        deploy = subprocess.Popen([ROOT / "scripts/deploy-ecs", "staging", image("b")], env=self.cloud.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(deploy.kill)
        until("the watch", lambda: self.cloud.calls.count("RunTask") == 2, 120)
        self.assertEqual(self.cloud.served(), image("b"))
        deploy.stdout.close()
        deploy.send_signal(signal.SIGHUP)
        self.assertEqual(deploy.wait(60), 1)
        self.assertEqual(self.cloud.served(), image("a"))

    def test_a_deploy_whose_messages_nobody_can_read_puts_back_what_served(self):
        deploy = subprocess.Popen([ROOT / "scripts/deploy-ecs", "staging", image("b")], env=self.cloud.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(deploy.kill)
        until("the switch", lambda: "UpdateService" in self.cloud.calls, 120)
        deploy.stdout.close()
        self.assertEqual(deploy.wait(120), 1)
        self.assertEqual(self.cloud.served(), image("a"))

    def test_a_release_of_which_nobody_saw_the_end_is_rolled_back_by_one(self):
        self.deploy("staging", image("b"))
        self.cloud.exits["watch"] = None
        begun = self.cloud.calls.count("RunTask")
        deploy = subprocess.Popen([ROOT / "scripts/deploy-ecs", "staging", image("c")], env=self.cloud.environment, stdout=subprocess.DEVNULL)
        until("the watch", lambda: self.cloud.calls.count("RunTask") == begun + 2, 120)
        deploy.kill()
        deploy.wait()
        self.assertEqual(self.cloud.served(), image("c"))
        code, text, _ = self.deploy("staging", "rollback")
        self.assertEqual((code, self.cloud.served()), (0, image("b")), text)

    def test_an_image_without_a_digest_is_refused(self):
        for wrong in ("ghcr.io/example/terroir:latest", "ghcr.io/example/terroir", "x@sha256:abc", "rollback; true"):
            self.assertEqual(self.deploy("staging", wrong)[0], 64)
        self.assertEqual(self.deploy("live", image("b"))[0], 64)
        self.assertEqual(self.cloud.commands, [])
