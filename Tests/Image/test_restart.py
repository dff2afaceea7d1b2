"""What the engine starts again after a reboot, with a file that was changed and reloaded before it."""
import subprocess
import unittest
import urllib.request

from Tests.Image import project
from Tests.Image.project import ROOT, container, curl, inspect, is_healthy, run, running, until


class Restart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        project.make(COMPOSE_PROFILES="monitoring")
        cls.addClassCleanup(project.remove)
        project.down()
        project.up()

    def test_everything_comes_back_after_the_engine_s_restart_also_what_was_told_to_reload(self):
        before = set(running())
        rules = project.folder / "monitoring/prometheus/alerts.yml"
        rules.write_text(rules.read_text().replace("alert: InstanceDown", "alert: InstanceGone"))
        run("bash", "-c", "docker compose exec prometheus kill -HUP 1")

        def loaded():
            with urllib.request.urlopen("http://127.0.0.1:9090/api/v1/rules", timeout=5) as answer:
                return b"InstanceGone" in answer.read()
        until("Prometheus to take the changed rule", loaded, 30)

        restarted = subprocess.run([ROOT / "scripts/engine", "restart"], capture_output=True, text=True)
        if restarted.returncode == 69:
            self.skipTest("the engine is not ours to restart")
        self.assertEqual(restarted.returncode, 0, restarted.stderr)
        for service in before:
            until(f"{service} to be back", lambda service=service: is_healthy(service), 120)
        until("the service to serve", lambda: curl("/api/gardens")[0] == 200, 60)
        self.assertEqual(set(running()), before)
        self.assertEqual(inspect(container("migrate"))["State"]["Status"], "exited")
