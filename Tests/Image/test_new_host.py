"""A lost host is rebuilt on a new one by the steps of disaster-recovery.md, run as written."""
import json
import re
import shutil
import time
import unittest

from Tests.Image import project
from Tests.Image.project import SETTINGS, curl, docker, is_healthy, post, run, running, timetable_rests, until

KEYS = ("backup_passphrase", "backup_identity")


def steps():
    """The commands of the section's second block, the one for compose."""
    section = (project.folder / "docs/disaster-recovery.md").read_text().partition("\n### A new host\n")[2].partition("\n### ")[0]
    block = re.findall(r"```sh\n(.*?)```", section, re.S)[1]
    return re.sub(r"\\\n\s*", "", block).splitlines()


def lose_the_host():
    """Loses everything but the repository, which would be a bucket elsewhere; returns the folder with the old
    secrets."""
    project.compose("down", "--timeout", "20")
    for volume in docker("volume", "ls", "--quiet", f"--filter=label=com.docker.compose.project={SETTINGS['COMPOSE_PROJECT_NAME']}").split():
        if not volume.endswith("_repository"):
            docker("volume", "rm", volume)
    return (project.folder / "secrets").rename(project.folder / "lost")


class NewHost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        project.make()
        cls.addClassCleanup(project.remove)
        project.down()
        project.up()

    def test_what_was_backed_up_is_back_and_passwords_are_new(self):
        login = {"email": f"lost{time.time()}@example.com", "password": "a long enough password"}
        self.assertEqual(post("/api/users", {**login, "displayName": "Lost"})[0], 201)
        garden = post("/api/gardens", {"name": "Lost and found"}, post("/api/sessions", login)[1]["accessToken"])[1]["id"]
        until("the timetable's own backup", timetable_rests, 300)
        run("docker", "compose", "exec", "backup", "scripts/backup/run")

        lost = lose_the_host()
        secrets = project.folder / "secrets"
        secrets.mkdir(mode=0o700)
        for key in KEYS:
            shutil.copy(lost / key, secrets)
        builds = run("docker", "buildx", "version", check=False).returncode == 0
        for command in steps():
            if command.startswith("docker compose build") and not builds:
                continue  # compose alone cannot use BuildKit; the image exists
            if "scripts/backup/run" in command:  # one at a time, and the schedule starts with its own
                until("the timetable's own backup", timetable_rests, 300)
            print(f"    {command[:110]}", flush=True)
            done = run("bash", "-c", f"set -eo pipefail\n{command}")
        self.assertIn("Backup completed", done.stdout)

        for service in running():
            until(f"{service} to be healthy", lambda service=service: is_healthy(service), 90)
        token = post("/api/sessions", login)[1]["accessToken"]
        status, text = curl(f"/api/gardens/{garden}", "-H", f"Authorization: Bearer {token}")
        self.assertEqual((status, json.loads(text)["name"]), (200, "Lost and found"))
        same = {name: (secrets / name).read_text() == (lost / name).read_text() for name in (*KEYS, "jwt_secret", "postgres_password", "redis_password")}
        self.assertEqual(same, {**dict.fromkeys((*KEYS, "jwt_secret"), True), "postgres_password": False, "redis_password": False})
