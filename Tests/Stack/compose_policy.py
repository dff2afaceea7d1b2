"""What no compose file of ours may do, checked on compose's own output."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from bench.scaling import model
from Tests.settings import kinds, listed

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENDING = {"migrate", "certificate", "roles", "ballast", "binary", "restore"}  # they do their work and exit
BARE = {"nginx-exporter"}  # its image has nothing to check it with; Prometheus watches it


def merged(*files, settings=".env.example"):
    answer = subprocess.run(
        ["docker-compose", "--env-file", settings, "--profile", "*", "config", "--format", "json"],
        capture_output=True, text=True, check=True, env={**os.environ, "TERROIR_IMAGE": "terroir:policy", "COMPOSE_FILE": ":".join(files)},
    )
    return json.loads(answer.stdout)


class ComposePolicy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.compose = merged("docker-compose.yml")
        cls.services = cls.compose["services"]

    def each(self, check):
        """Holds each service to `check(name, service)`; a failure names the service."""
        for name, service in self.services.items():
            with self.subTest(service=name):
                check(name, service)

    def test_only_nginx_is_published_beyond_this_host(self):
        def check(name, service):
            for port in service.get("ports", []):
                if name != "nginx":
                    self.assertEqual(port.get("host_ip"), "127.0.0.1")
        self.each(check)

    def test_stores_stay_inside(self):
        for name in ("postgres", "redis", "elasticsearch", "loki"):
            self.assertEqual(list(self.services[name]["networks"]), ["internal"])
            self.assertNotIn("ports", self.services[name])
        self.assertTrue(self.compose["networks"]["internal"]["internal"])

    def test_every_image_has_a_version(self):
        def check(_, service):
            self.assertRegex(service["image"], r":[\w.-]+$")
            self.assertNotRegex(service["image"], r":(latest|stable|\d+)$")
        self.each(check)

    def test_every_service_is_checked_and_comes_back(self):
        def check(name, service):
            if name in ENDING:
                self.assertEqual(service["restart"], "no")
                return
            self.assertEqual(service["restart"], "always")
            if name not in BARE:
                self.assertIn("test", service["healthcheck"])
        self.each(check)

    def test_a_check_reads_the_answer_of_a_tool_that_exits_0_on_refusal(self):
        def check(_, service):
            test = " ".join(service.get("healthcheck", {}).get("test", []))
            if "redis-cli" in test or "psql" in test:
                self.assertIn("grep -qx", test)
        self.each(check)

    def test_nothing_is_privileged(self):
        def check(_, service):
            self.assertEqual(service["cap_drop"], ["ALL"])
            self.assertIn("no-new-privileges:true", service["security_opt"])
            self.assertNotIn("privileged", service)
            self.assertLessEqual(service["ulimits"]["nofile"]["hard"], 20000)
            self.assertTrue(service["mem_limit"] and service["pids_limit"])
        self.each(check)

    def test_root_file_systems_are_read_only(self):
        writable = {name for name, service in self.services.items() if not service.get("read_only")}
        self.assertEqual(writable, {"elasticsearch", "kibana"})

    def test_logs_are_bounded(self):
        def check(_, service):
            self.assertIn("max-size", service["logging"]["options"])
        self.each(check)

    def test_no_secret_stands_in_the_environment(self):
        def check(_, service):
            for key, value in (service.get("environment") or {}).items():
                if value is not None and re.search("PASSWORD|SECRET|TOKEN|API_KEY|DATABASE_URL|REDIS_URL", key):
                    self.assertRegex(key, "FILE$")
        self.each(check)

    def test_the_engine_s_socket_is_nobody_s(self):
        def check(_, service):
            for volume in service.get("volumes", []):
                self.assertNotRegex(volume["source"] + volume["target"], r"docker\.sock")
        self.each(check)

    def test_only_what_needs_it_has_a_superuser_s_password(self):
        for secret, users in (("postgres_password", {"postgres", "roles", "restore"}), ("redis_password", {"redis"}), ("owner_database_url", {"migrate"})):
            having = {name for name, service in self.services.items() if secret in [mounted["source"] for mounted in service.get("secrets", [])]}
            self.assertEqual(having, users)

    def test_alertmanager_remembers_what_it_sent_until_it_is_to_be_repeated(self):
        hours = {"m": 1 / 60, "h": 1, "d": 24}
        waits = re.findall(r"repeat_interval: (\d+)([mhd])$", (ROOT / "monitoring/alertmanager/alertmanager.yml").read_text(), re.M)
        remembered, = re.findall(r"--data\.retention=(\d+)h", " ".join(self.services["alertmanager"]["entrypoint"]))
        self.assertGreater(int(remembered), max(int(number) * hours[unit] for number, unit in waits))

    def test_what_makes_and_restores_backups_has_room_for_a_postgres(self):
        for name in ("backup", "restore"):
            self.assertGreaterEqual(int(self.services[name]["mem_limit"]), 1 << 30)

    def test_what_makes_and_restores_backups_has_each_secret_that_it_names_and_no_other(self):
        for name, more, unnamed in (("backup", "|RECIPIENTS_FILE|WEBHOOK_FILE", {"jwt_secret", "jwt_secret_previous"}), ("restore", "", set())):
            service = self.services[name]
            named = {value.removeprefix("/run/secrets/") for key, value in service["environment"].items()
                     if re.search(f"_(PASSWORD_FILE|PASSPHRASE_FILE|S3_KEY_FILE|S3_SECRET_FILE{more})$", key)}
            self.assertEqual(named | unnamed, {each["source"] for each in service["secrets"]})
        self.assertEqual(self.services["restore"]["environment"]["BACKUP_SUPERUSER_PASSWORD_FILE"], "/run/secrets/postgres_password")

    def test_every_variable_of_the_files_is_explained(self):
        explained = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.M))
        for file in ROOT.glob("docker-compose*.yml"):
            self.assertLessEqual(set(re.findall(r"\$\{(\w+)", file.read_text())), explained, file.name)

    def test_each_setting_of_the_servers_is_taken_from_env_or_said_not_to_be(self):
        names, said = listed(), set.union(*kinds())
        with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
            file.write((ROOT / ".env.example").read_text() + "".join(f"\n{name}=given" for name in names))
            file.flush()
            for others in ((), ("docker-compose.staging.yml",), ("docker-compose.production.yml",)):
                services = merged("docker-compose.yml", *others, settings=file.name)["services"]
                for name in ("api", "api-green", "migrate"):
                    with self.subTest(others=others, service=name):
                        environment = services[name]["environment"]
                        passed = {name for name in names if environment.get(name) == "given"} | ({"ENVIRONMENT"} if others else set())
                        self.assertEqual(names - passed, said)
        # Unset, not empty, unless .env sets it.
        self.assertEqual([name for name in names if self.services["api"]["environment"].get(name) == ""], [])

    def test_a_deploy_s_two_servers_find_as_many_connections_as_the_document_says(self):
        readme, scaling = (ROOT / "README.md").read_text(), (ROOT / "docs/scaling.md").read_text()
        kinds = ("READERS", "WRITERS", "LONG_READERS", "TRANSACTION_CONNECTIONS")
        of_a_loop = sum(int(re.search(rf"^\| `DATABASE_{kind}` \| `(\d+)`", readme, re.M)[1]) for kind in kinds)
        self.assertEqual(of_a_loop, model.LOOP_CONNECTIONS)
        said, most, workers = map(int, re.search(r"(\d+) for each of `WORKERS` \+ 1 loops, and 1\..*?(\d+) hold both for (\d+) `WORKERS`", scaling, re.S).groups())
        self.assertEqual((said, f"max_connections={most}" in self.services["postgres"]["command"]), (of_a_loop, True))
        fits = lambda workers: 2 * ((workers + 1) * of_a_loop + 1) <= most - 10  # backups, the exporter, and you
        self.assertEqual((fits(workers), fits(workers + 1)), (True, False))

    def test_what_is_waited_for_is_healthy(self):
        def check(_, service):
            for dependency in (service.get("depends_on") or {}).values():
                self.assertIn(dependency["condition"], ("service_healthy", "service_completed_successfully"))
        self.each(check)

    def test_production_runs_a_named_image_as_production(self):
        for environment in ("staging", "production"):
            services = merged("docker-compose.yml", f"docker-compose.{environment}.yml")["services"]
            for name in ("api", "migrate"):
                self.assertNotIn("build", services[name])
                self.assertEqual(services[name]["environment"]["ENVIRONMENT"], environment)
