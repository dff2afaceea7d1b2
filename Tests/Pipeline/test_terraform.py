"""An environment of deploy/terraform, applied to a stand-in for AWS."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from Tests.Pipeline.cloud import REGION, ROOT, Cloud
from Tests.settings import kinds, listed

# What the stand-in does not support; any other failure is ours.
UNKNOWN = {"aws_backup_vault_lock_configuration", "aws_wafv2_web_acl_logging_configuration", "aws_appautoscaling_target"}
# All settings that the module leaves to the operator.
FITTED, SECRETS = kinds()
SETTINGS = {name: f"given {name}" for name in listed() - FITTED - SECRETS - {"ENVIRONMENT", "SMTP_URL"}}
SECRET_SETTINGS = {name: f"arn:aws:secretsmanager:{REGION}:000000000000:secret:terroir-staging/{name.lower()}-AbCdEf"
                   for name in SECRETS - {"DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "JWT_SECRET"} | {"SMTP_URL"}}
PASSWORD, SECRET = "notarealone1234567890notarealone", "not-a-real-secret-not-a-real-secret-not-a-real"


@unittest.skipUnless(shutil.which("terraform"), "Terraform is not installed")
class Terraform(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud()
        cls.addClassCleanup(cls.cloud.close)
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name) / "environments/staging"
        shutil.copytree(ROOT / "deploy/terraform", temporary.name, dirs_exist_ok=True)
        # Unchanged except for the place of the state, the credentials, and the secrets, which it draws: the test has
        # known ones.
        text = (cls.folder / "main.tf").read_text()
        text = re.sub(r'  backend "s3" \{.*?\n  \}\n', "", text, flags=re.S)
        text = re.sub(r"ephemeral \"aws_.*?\n\}\n", "", text, flags=re.S)
        text = re.sub(r"ephemeral\.aws_secretsmanager_random_password\.(\w+)\.random_password", r"var.\1", text)
        (cls.folder / "main.tf").write_text(text)
        (cls.folder / "test.tf").write_text('variable "database" { ephemeral = true }\nvariable "jwt" { ephemeral = true }\n')
        examples = (cls.folder / "terraform.tfvars.example").read_text().replace("123456789012", "000000000000")
        zone = cls.cloud.client("route53").create_hosted_zone(Name="example.org", CallerReference="test")["HostedZone"]["Id"].split("/")[-1]
        (cls.folder / "terraform.tfvars").write_text(examples.replace("Z0123456789EXAMPLE", zone) + f'database = "{PASSWORD}"\njwt = "{SECRET}"\n')
        (cls.folder / "settings.auto.tfvars.json").write_text(json.dumps({"settings": SETTINGS, "secret_settings": SECRET_SETTINGS}))
        mirrors = [found for place in ("/opt", "/usr/share/terraform", "/usr/local/share/terraform", os.path.expanduser("~/.terraform.d"))
                   for found in pathlib.Path(place).glob("*/registry.terraform.io")]
        cls.environment = {**cls.cloud.environment, "AWS_ENDPOINT_URL": cls.cloud.inner, "AWS_S3_USE_PATH_STYLE": "true", "TF_IN_AUTOMATION": "yes"}
        cls.environment.pop("TF_CLI_CONFIG_FILE", None)
        cls.terraform("init", "-input=false", *[f"-plugin-dir={mirrors[0].parent}"] * bool(mirrors))
        cls.applied = cls.terraform("apply", "-input=false", "-auto-approve", "-no-color", check=False)
        cls.state = (cls.folder / "terraform.tfstate").read_text()

    @classmethod
    def terraform(cls, *arguments, check=True):
        answer = subprocess.run(["terraform", *arguments], cwd=cls.folder, env=cls.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
        if check and answer.returncode != 0:
            raise AssertionError(answer.stdout)
        return answer.stdout

    def test_everything_is_made_that_the_stand_in_knows(self):
        failed = re.findall(r"Error: (.*?)\n\n *with \S*?(\w+)\.\w+(?:\[[^\]]*\])?,", self.applied, re.S)
        self.assertEqual([fault for fault, kind in failed if kind not in UNKNOWN], [])
        self.assertEqual(len(failed), len(re.findall("^Error: ", self.applied, re.M)), self.applied[-3000:])
        self.assertGreater(len(json.loads(self.state)["resources"]), 80)

    def test_the_deploy_finds_what_it_asks_for(self):
        service = self.cloud.ecs.describe_services(cluster="terroir-staging", services=["api"])["services"][0]
        self.assertEqual(service["desiredCount"], 2)
        for family in ("api", "tool"):
            definition = self.cloud.ecs.describe_task_definition(taskDefinition=f"terroir-staging-{family}")["taskDefinition"]
            self.assertIn("api", [container["name"] for container in definition["containerDefinitions"]])
        databases = self.cloud.client("rds").describe_db_instances(DBInstanceIdentifier="terroir-staging")["DBInstances"]
        self.assertFalse(databases[0]["PubliclyAccessible"])

    def test_each_setting_that_is_given_reaches_the_server(self):
        for family in ("api", "tool"):
            definition = self.cloud.ecs.describe_task_definition(taskDefinition=f"terroir-staging-{family}")["taskDefinition"]
            server = next(container for container in definition["containerDefinitions"] if container["name"] == "api")
            environment = {variable["name"]: variable["value"] for variable in server["environment"]}
            secrets = {secret["name"]: secret["valueFrom"] for secret in server["secrets"]}
            with self.subTest(family=family):
                self.assertEqual({name: environment.get(name) for name in SETTINGS}, SETTINGS)
                self.assertEqual({name: secrets.get(name) for name in SECRET_SETTINGS}, SECRET_SETTINGS)
                self.assertEqual(listed() - FITTED - set(environment) - set(secrets), {"DATABASE_REPLICA_URL"})  # staging has none

    def test_each_secret_is_refused_in_the_open(self):
        given = json.dumps({name: "given" for name in SECRET_SETTINGS})
        refused = self.terraform("plan", "-input=false", "-no-color", "-target=module.stack.module.service.aws_ecs_task_definition.tool",
                                 "-var", f"settings={given}", "-var", "secret_settings={}", check=False)
        self.assertEqual(set(re.findall("[A-Z_]+", refused.partition("Set these in secret_settings instead:")[2].partition(".")[0])), set(SECRET_SETTINGS))

    def test_a_database_that_aws_has_brought_up_to_date_stays_so(self):
        self.cloud.client("rds").modify_db_instance(DBInstanceIdentifier="terroir-staging", EngineVersion="16.99", ApplyImmediately=True)
        planned = self.terraform("plan", "-input=false", "-no-color", "-target=module.stack.module.data.aws_db_instance.this")
        self.assertIn("terroir-staging", planned)
        self.assertNotIn("engine_version", planned)

    def test_the_secrets_are_in_aws_and_not_in_the_state(self):
        secrets = self.cloud.client("secretsmanager")
        self.assertRegex(secrets.get_secret_value(SecretId="terroir-staging/database_url")["SecretString"], f"^postgresql://terroir:{PASSWORD}@.+:5432/terroir")
        self.assertEqual(secrets.get_secret_value(SecretId="terroir-staging/jwt_secret")["SecretString"], SECRET)
        for secret in (PASSWORD, SECRET):
            self.assertNotIn(secret, self.state)

    def test_the_alarm_on_connections_goes_off_before_postgres_refuses_them(self):
        alarm, = (instance["attributes"] for resource in json.loads(self.state)["resources"] if resource["type"] == "aws_cloudwatch_metric_alarm"
                  for instance in resource["instances"] if instance["index_key"] == "connections")
        admitted = 4 * 2**30 / 9531392  # what RDS admits by default with the 4 GiB of db.t4g.medium, and a little less
        self.assertLess(alarm["threshold"], 0.8 * admitted)

    def test_a_redis_that_is_made_again_asks_for_the_token_that_the_servers_have(self):
        address = "module.stack.module.data.aws_elasticache_replication_group.this"
        self.terraform("plan", "-input=false", "-no-color", f"-target={address}", f"-replace={address}", "-out=redis.plan")
        planned = json.loads(self.terraform("show", "-json", "redis.plan"))["resource_changes"]
        change, = (each["change"] for each in planned if each["address"] == address)
        self.assertIn("create", change["actions"])
        url = self.cloud.client("secretsmanager").get_secret_value(SecretId="terroir-staging/redis_url")["SecretString"]
        self.assertIn(f":{change['after']['auth_token']}@", url)
