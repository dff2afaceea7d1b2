"""Deploys that are killed, as by a power failure, at each of their stages and at each command that changes something:
what remains serves, and the next deploy completes."""
import contextlib
import functools
import os
import pathlib
import re
import signal
import time
import unittest

from Tests.Deploy.host import Host, Load
from Tests.Deploy.test_units import SystemdHost, needs_root
from Tests.Stack.stack import ROOT, until

# The stages of a deploy, each with what the deploy after a kill does; a test compares the list with the script.
STAGES = {
    **dict.fromkeys(("begin", "backup", "migrate", "start", "smoke", "canary", "switch", "watch", "undo"), "undoing it"),
    "retire": "finishing it",
}
ENDS = {"complete", "failed"}
# Lines that change a file or a process: which of them were reached decides the state.
CHANGE = re.compile(r'(^|; |\|\| |&& |then |else )(touch|rm|mv|ln|install|sync|kill -[TK]|exec setsid|systemctl (?!show))|>>?"\$')
SHORT = ("--for", "1s", "--every", "1s", "--min-requests", "1", "--max-p95", "5s")
# bash calls this before each command: it records the place, or kills the deploy there.
TRACE = """
[ "${0##*/}" = deploy ] || return 0
set -o functrace
at_command() {
  local IFS=' '
  local place="${FUNCNAME[*]:1} $1"
  if [ -n "${NOTE_COMMANDS:-}" ]; then echo "$place ${BASH_SOURCE[1]}" >>"$NOTE_COMMANDS"; fi
  if [ "$place" = "${KILL_AT:-}" ]; then kill -KILL $$ $BASHPID; fi
}
trap 'at_command $LINENO' DEBUG
"""


class Walk:
    """Consecutive deploys, each killed at one of the places that change something."""

    @classmethod
    def begin_with(cls, host):
        cls.host = host
        cls.addClassCleanup(host.close)
        host.start_edge()
        code, said = host.deploy(host.release("good"))
        if code:
            raise AssertionError(f"the first deploy failed: {said}")

    def changes(self, *arguments, expected=0):
        """The places where a deploy changes something: the enclosing functions, and the line."""
        notes = self.host.folder / "commands"
        with self.traced(NOTE_COMMANDS=notes):
            code, said = self.host.deploy(*arguments, options=SHORT)
        self.assertEqual(code, expected, said)
        commands = dict.fromkeys(tuple(line.rsplit(" ", 1)) for line in notes.read_text().splitlines())
        notes.unlink()
        ours = [(place, file) for place, file in commands if file.startswith(f"{ROOT}/")]  # not the settings
        return [place for place, file in ours if CHANGE.search(self.lines(file)[int(place.split()[-1]) - 1])]

    @staticmethod
    @functools.cache
    def lines(file):
        return [line.strip() for line in pathlib.Path(file).read_text().splitlines()]

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

    def walk(self, wanted=lambda function: True):
        """Each deploy is killed before a change, after undoing or finishing what the previous one had begun."""
        host, arguments = self.host, ("--canary=50%", "--backup-command=true")
        bad = '[ "$1" = serve ] && exit 3; exec "$binary" "$@"'
        places = [(place, ()) for place in self.changes(*arguments, host.release("walked"))]
        places += [(place, (bad,)) for place in self.changes(*arguments, host.release("bad", bad), expected=1) if " ended " in place]
        places = [(place, body) for place, body in places if wanted(place.split()[0])]
        print(f"\nkilled before {len(places)} changes:", *(place for place, _ in places), sep="\n")
        with Load(host) as load:
            for number, (place, body) in enumerate(places):
                with self.subTest(place), self.traced(KILL_AT=place):
                    code, said = host.deploy(*arguments, host.release(f"walked-{number}", *body), options=SHORT)
                    self.assertEqual(code, -signal.SIGKILL, said)
                    self.assertRegex(host.served(), "^walked")
            code, said = host.deploy(host.release("good"))
            self.assertEqual(code, 0, said)
        self.assertEqual(load.failures, [])
        self.assertEqual((host.served(), len(host.running())), ("good", 1))


class KilledDeploys(Walk, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.begin_with(Host())

    def kill_at(self, stage, *arguments):
        """Starts a deploy and kills it once its journal shows the stage."""
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

    def test_before_each_change(self):
        self.walk()

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
            time.sleep(1)  # some requests to what remains
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


@needs_root
class KilledUnits(Walk, unittest.TestCase):
    """With units as colours, only starting and stopping differ."""

    @classmethod
    def setUpClass(cls):
        cls.begin_with(SystemdHost())

    def test_before_each_change_of_a_unit(self):
        self.walk(lambda function: function in ("start", "stop"))
