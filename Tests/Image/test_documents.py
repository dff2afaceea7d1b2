"""Every command of the runbook and of operations.md, as it is written there, in development, in production, and with green serving."""
import re
import shutil
import unittest

from Tests.Image import project
from Tests.Image.project import IMAGE, container, inspect, is_healthy, run, running, until
from Tests.Image.test_image import SETTINGS, make_authority

# Includes the sections for hosts without compose: the tests of releases and deploys run those, where they may change
# the host.
DOCUMENTS = {"docs/operations.md": ("### From a package", "### On a plain host"), "docs/runbook.md": ()}
# Placeholders in capitals for the reader to fill in.
BLANKS = {"NAME": "HostMemoryLow", "PID": "0", "ID": "00000000-0000-7000-8000-000000000000"}
# Commands in the documents that are not run here, and why.
LEFT_OUT = {
    "docker stop": "a name", "docker kill": "a name", "docker compose stop": "a name", "docker compose exec": "a name",
    "docker image prune --all --filter until=168h": "it would remove images of others who use the engine",
    "scripts/deploy --canary 5% terroir@sha256:…": "a digest to fill in; test_deploy deploys images",
}


def commands(document):
    """The shell blocks, each as one command, and inline code that begins like one."""
    text = (project.folder / document).read_text()
    for title in DOCUMENTS[document]:
        before, rest = text.split(f"{title}\n")
        text = before + rest[re.search(r"^##", rest, re.M).start():]
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        yield block.strip()
    for span in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S)):
        if re.match(r"(docker|curl|df|sudo) ", span):
            yield " ".join(span.split())


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        project.make(**SETTINGS, AUTHORITY=make_authority(cls))
        cls.addClassCleanup(project.remove)
        project.down()
        cls.builds = run("docker", "buildx", "version", check=False).returncode == 0

    def run_all(self):
        seen = 0
        for document in DOCUMENTS:
            for command in commands(document):
                if command in LEFT_OUT:
                    continue
                blanks = BLANKS | {"NEW": (project.folder / "secrets/postgres_password").read_text()}
                if not self.builds:  # compose alone cannot use BuildKit; the image exists
                    command = command.replace(" --build ", " ")
                filled = re.sub(r"\b(NAME|PID|ID|NEW)\b", lambda match: blanks[match.group()], command)
                if "scripts/backup/" in command:  # one at a time, and the schedule starts with its own
                    until("the timetable's own backups", project.timetable_rests, 300)
                if command.startswith("docker compose unpause "):  # the remedy for something that hangs
                    run(*command.replace("unpause", "pause").split())
                with self.subTest(document=document, command=command):
                    print(f"    {command[:110]}", flush=True)
                    done = run("bash", "-c", f"set -eo pipefail\n{filled}", check=False)
                    found_nothing = done.returncode == 1 and "grep" in command and not done.stderr
                    self.assertTrue(done.returncode == 0 or found_nothing, f"{done.returncode}: {done.stdout[-800:]}{done.stderr[-2000:]}")
                    seen += 1
                if command.startswith("docker compose unpause "):  # the engine calls it unhealthy until its next check
                    service = command.split()[-1]
                    until(f"{service} to be healthy again", lambda service=service: is_healthy(service), 30)
        self.assertGreater(seen, 30)
        for service in running():
            until(f"{service} to be healthy", lambda service=service: is_healthy(service), 90)

    def test_1_in_development(self):
        self.run_all()
        self.assertIn("ENVIRONMENT=development", inspect(container("api"))["Config"]["Env"])

    def test_2_in_production(self):
        files = SETTINGS["COMPOSE_FILE"].replace("docker-compose.yml", "docker-compose.yml:docker-compose.production.yml")
        for path in (".env", ".env.example"):
            project.configure(project.folder / path, {"COMPOSE_FILE": files})
        self.run_all()
        api, postgres = inspect(container("api")), inspect(container("postgres"))
        self.assertIn("ENVIRONMENT=production", api["Config"]["Env"])
        self.assertEqual(api["Config"]["Image"], IMAGE)
        self.assertEqual(api["HostConfig"]["Memory"], 1 << 30)
        self.assertEqual(postgres["HostConfig"]["Memory"], 4 << 30)
        self.assertIn("shared_buffers=1GB", postgres["Args"])

    def test_3_after_a_deploy_to_the_other_colour(self):
        image = project.docker("image", "inspect", "--format", "{{.Id}}", IMAGE)
        run("scripts/deploy", "--no-backup", "--for", "6s", "--every", "2s", "--min-requests", "5", "--max-p95", "1s", image)
        shutil.copy(project.folder / ".env", project.folder / ".env.example")  # which the first of the commands copies back
        self.run_all()
        self.assertEqual([service for service in running() if service.startswith("api")], ["api-green"])
