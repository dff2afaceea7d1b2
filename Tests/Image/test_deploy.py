"""Deploys of images in compose: clients notice neither a good one, nor one that is rolled back."""
import json
import subprocess
import threading
import time
import unittest

from Tests.Image import project

WATCH = ("--for", "6s", "--every", "2s", "--min-requests", "5", "--max-p95", "1s")


# Turns an image into a release that removes a table that no release needs any more.
TAKES_AWAY = r"""
USER root
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client
RUN printf '%s\n' >/usr/local/bin/release \
  'ask() { psql -XqAtc "$1" "$(cat "$DATABASE_URL_FILE")"; }' \
  'said() { echo "-- Migration 999: outlived"; echo "DROP TABLE public.outlived;"; }' \
  'case $* in' \
  '  migrate) terroir migrate && ask "DROP TABLE IF EXISTS public.outlived" ;;' \
  '  "migrate --sql") terroir "$@" && said ;;' \
  '  "migrate --dry-run") terroir "$@" && if [ -n "$(ask "SELECT to_regclass('\''public.outlived'\'')")" ]; then said; fi ;;' \
  '  *) exec /usr/bin/tini -- terroir "$@" ;;' \
  'esac'
USER 1001:1001
ENTRYPOINT ["sh", "/usr/local/bin/release"]
CMD ["serve"]
"""


class Deploys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        project.make()
        cls.addClassCleanup(project.remove)
        project.down()
        project.up()

    def image(self, name, *lines):
        """An image with a revision of its own; returns its id."""
        text = f"FROM {project.IMAGE}\nENV REVISION={name}\n" + "\n".join(lines)
        done = subprocess.run(["docker", "build", "--quiet", "--tag", f"terroir:{name}", "-"], input=text, env={**project.environment, "DOCKER_BUILDKIT": "0"}, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return project.docker("image", "inspect", "--format", "{{.Id}}", f"terroir:{name}")

    def deploy(self, *arguments, backup=("--no-backup",)):
        done = project.run("scripts/deploy", *WATCH, *backup, *arguments, check=False)
        return done.returncode, done.stdout + done.stderr

    def served(self):
        return json.loads(project.curl("/version")[1])["revision"]

    @staticmethod
    def colours():
        return sorted(service for service in project.running() if service.startswith("api"))

    def test_images_are_deployed_watched_rolled_back_and_kept(self):
        with Asking() as asking:
            for name in ("one", "two"):
                code, said = self.deploy(self.image(name))
                self.assertEqual(code, 0, said)
                self.assertEqual(self.served(), name)
            code, said = self.deploy(self.image("bad", 'ENTRYPOINT ["false"]'))
            self.assertEqual(code, 1, said)
            self.assertEqual(self.served(), "two")
            code, said = self.deploy(self.image("three"), "--canary=10%")
            self.assertEqual((code, self.served()), (0, "three"), said)
            code, said = self.deploy("rollback")
            self.assertEqual(code, 0, said)
            self.assertEqual(self.served(), "two")
        self.assertEqual(asking.failures, [])
        self.assertGreater(asking.count, 100)
        # Every later command uses what was deployed, and the idle colour stays down.
        before = self.colours()
        self.assertEqual(len(before), 1)
        project.run("docker", "compose", "up", "--detach", "--no-build", "--pull", "never", "--wait", "--wait-timeout", "120")
        self.assertEqual(self.colours(), before)
        self.assertEqual(self.served(), "two")

    def test_what_takes_away_is_refused_then_run_and_then_deployed(self):
        def sql(text):
            return project.compose("exec", "-T", "postgres", "sql", "-Atc", text)
        sql("CREATE TABLE public.outlived (); ALTER TABLE public.outlived OWNER TO terroir_owner")
        image, before, colours = self.image("without", TAKES_AWAY), self.served(), self.colours()
        with Asking() as asking:
            code, said = self.deploy(image)
            self.assertEqual(code, 1, said)
            self.assertIn("drops what the previous release may use", said)
            code, said = self.deploy("--dry-run", "--contract", image)
            self.assertEqual(code, 0, said)
            self.assertNotEqual(sql("SELECT to_regclass('public.outlived')"), "")
            code, said = self.deploy("--contract", image)
            self.assertEqual(code, 0, said)
            self.assertEqual(sql("SELECT to_regclass('public.outlived')"), "")
            self.assertEqual((self.served(), self.colours()), (before, colours))
            code, said = self.deploy(image)
            self.assertEqual((code, self.served()), (0, "without"), said)
        self.assertEqual(asking.failures, [])

    def test_a_backup_is_taken_where_backups_are_made(self):
        project.until("the timetable's own backups", project.timetable_rests, 300)
        code, said = self.deploy(self.image("backed"), backup=())
        self.assertEqual((code, self.served()), (0, "backed"), said)
        self.assertIn("Backup completed", said)

    def test_a_tag_is_refused(self):
        code, said = self.deploy("terroir:latest")
        self.assertEqual(code, 64, said)
        self.assertIn("terroir:latest is not a digest", said)


class Asking:
    """A client that sends requests continuously while something is done."""

    def __init__(self):
        self.failures, self.count, self.stopping = [], 0, threading.Event()
        self.thread = threading.Thread(target=self.ask, daemon=True)

    def ask(self):
        while not self.stopping.wait(0.05):
            self.count += 1
            status, body = project.curl("/api/gardens?limit=1", "-A", f"asking/{self.count}")  # a canary takes a share of programs
            if status != 200:
                self.failures.append((time.strftime("%X"), status, body[:200]))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(30)
