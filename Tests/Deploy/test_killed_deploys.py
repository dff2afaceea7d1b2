"""Deploys that are killed, as a host without power does, at each of their steps: what is left serves, and the next
deploy comes to its end."""
import os
import signal
import time
import unittest

from Tests.Deploy.host import Host, Load
from Tests.Stack.stack import until

STAGES = ("begin", "backup", "migrate", "start", "smoke", "canary", "switch", "watch", "retire", "undo")


class KilledDeploys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host()
        cls.addClassCleanup(cls.host.close)
        cls.host.start_edge()
        code, said = cls.host.deploy(cls.host.release("good"))
        if code:
            raise AssertionError(f"the first deploy failed: {said}")

    def kill_at(self, stage, *arguments):
        """Begins a deploy and ends it by SIGKILL once its journal says that it has come there."""
        lines = len(self.host.journal())
        deploy = self.host.begin(*arguments)
        until(f"the stage {stage}", lambda: deploy.poll() is not None or any(line[2] == stage for line in self.host.journal()[lines:]), 90, 0.005)
        deploy.send_signal(signal.SIGKILL)
        deploy.wait()
        said = deploy.stdout.read() if stage not in ("watch", "canary", "backup") else ""
        deploy.stdout.close()
        self.assertEqual(deploy.returncode, -signal.SIGKILL, f"it had ended before {stage}: {said}")

    def test_all_servers_gone_with_it(self):
        host = self.host
        for stage in ("start", "watch"):
            self.kill_at(stage, host.release(f"dark-at-{stage}"))
            for colour in list(host.running()):
                os.kill(host.process_of(colour), signal.SIGKILL)
            until("the dark", lambda: not host.running())
            code, said = host.deploy(host.release("good"))
            self.assertEqual(code, 0, said)
            self.assertEqual(host.served(), "good")
            self.assertEqual(len(host.running()), 1)


def killed_at(stage):
    def test(self):
        host = self.host
        bad = stage == "undo"
        release = host.release(f"killed-at-{stage}", 'exec "$binary" "$@"' if not bad else '[ "$1" = serve ] && exit 3; exec "$binary" "$@"')
        with Load(host) as load:
            self.kill_at(stage, "--canary=50%", "--backup-command=sleep 1", release)
            time.sleep(1)  # some requests to what is left
            self.assertIn(host.served(), ("good", f"killed-at-{stage}"))
            code, said = host.deploy(host.release("good"))
            self.assertEqual(code, 0, said)
        self.assertEqual(load.failures, [])
        self.assertEqual(host.served(), "good")
        self.assertEqual(len(host.running()), 1)
        self.assertEqual(host.journal()[-1][2], "complete")
        self.assertLessEqual({path.name for path in (host.state / "switch").iterdir()}, {"green"})

    return test


for stage in STAGES:
    setattr(KilledDeploys, f"test_killed_at_{stage}", killed_at(stage))


if __name__ == "__main__":
    unittest.main()
