"""Deploys that are killed, as a host without power does, at each of their stages and at each command that changes
something: what is left serves, and the next deploy comes to its end."""
import contextlib
import os
import re
import signal
import time
import unittest

from Tests.Deploy.host import Host, Load
from Tests.Stack.stack import ROOT, until

# The stages of a deploy, each with what the one after a kill does; that these are all, a test compares with the script.
STAGES = {
    **dict.fromkeys(("begin", "backup", "migrate", "start", "smoke", "canary", "switch", "watch", "undo"), "undoing it"),
    "retire": "finishing that",
}
ENDS = {"complete", "failed"}
# Commands that change a file or a process: what a deploy has come to is decided by which of them were reached.
CHANGE = re.compile(r"(touch|rm|mv|ln|cp|sync|kill|exec setsid|systemctl)\b|(echo|printf)\b.*>")
SHORT = ("--for", "1s", "--every", "1s", "--min-requests", "1", "--max-p95", "5s")
# Before each command bash calls this: it notes where that stands, or ends the deploy there.
TRACE = """
[ "${0##*/}" = deploy ] || return 0
set -o functrace
at_command() {
  local IFS=' '
  local place="${FUNCNAME[*]:1} $1"
  if [ -n "${NOTE_COMMANDS:-}" ]; then printf '%s\\t%s\\n' "$place" "${2%%$'\\n'*}" >>"$NOTE_COMMANDS"; fi
  if [ "$place" = "${KILL_AT:-}" ]; then kill -KILL $$ $BASHPID; fi
}
trap 'at_command $LINENO "$BASH_COMMAND"' DEBUG
"""


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

    def test_these_are_all_stages(self):
        script = (ROOT / "scripts/deploy").read_text()
        self.assertEqual(set(re.findall(r"\benter ([a-z]+)", script)), set(STAGES) | ENDS)

    def changes(self, *arguments, expected=0):
        """Where a deploy changes something: the functions around such a command, and its line."""
        notes = self.host.folder / "commands"
        with self.traced(NOTE_COMMANDS=notes):
            code, said = self.host.deploy(*arguments, options=SHORT)
        self.assertEqual(code, expected, said)
        commands = [line.split("\t", 1) for line in notes.read_text().splitlines()]
        notes.unlink()
        return list(dict.fromkeys(place for place, command in commands if CHANGE.match(command)))

    @contextlib.contextmanager
    def traced(self, **variables):
        trace = self.host.folder / "trace"
        trace.write_text(TRACE)
        before = dict(self.host.settings)
        self.host.settings.update(BASH_ENV=trace, **variables)
        try:
            yield
        finally:
            self.host.settings = before

    def test_before_each_change(self):
        """Each deploy is killed there, and first undoes or finishes what the one before it had begun."""
        host, arguments = self.host, ("--canary=50%", "--backup-command=true")
        bad = '[ "$1" = serve ] && exit 3; exec "$binary" "$@"'
        walk = [(place, ()) for place in self.changes(*arguments, host.release("walked"))]
        walk += [(place, (bad,)) for place in self.changes(*arguments, host.release("bad", bad), expected=1) if " ended " in place]
        print(f"\nkilled before {len(walk)} changes")
        with Load(host) as load:
            for number, (place, body) in enumerate(walk):
                with self.subTest(place), self.traced(KILL_AT=place):
                    code, said = host.deploy(*arguments, host.release(f"walked-{number}", *body), options=SHORT)
                    self.assertEqual(code, -signal.SIGKILL, said)
                    self.assertRegex(host.served(), "^walked")
            code, said = host.deploy(host.release("good"))
            self.assertEqual(code, 0, said)
        self.assertEqual(load.failures, [])
        self.assertEqual((host.served(), len(host.running())), ("good", 1))

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
            self.assertIn(STAGES[stage], said)
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
