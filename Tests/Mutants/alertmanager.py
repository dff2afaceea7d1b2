"""Alertmanager's configuration, broken a line, a block or a word at a time, and tested by alertmanager_test.py."""
import pathlib
import re
import tempfile

from monitoring.alertmanager import alertmanager_test

HERE = pathlib.Path(alertmanager_test.__file__).parent
TIMES = r" *(resolve_timeout|group_wait|group_interval|repeat_interval):"


class Alertmanager:
    # Parts of the descriptions of mutants, and why they have no effect.
    EQUIVALENT = dict.fromkeys(('severity="ticket"', "'ticket' as", "left out: receiver: everyday"), "a ticket's route differs from the root only in how often it repeats")

    def __enter__(self):
        self.original = (HERE / "alertmanager.yml").read_text()
        return self

    def __exit__(self, *_):
        pass

    def original_of(self, _mutant):
        return self.original

    def mutants(self):
        """Leaves waiting times alone: a test cannot wait for hours."""
        lines = self.original.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if line.strip() and not line.lstrip().startswith("#") and not re.match(TIMES, line):
                yield f"line {number + 1} left out: {line.strip()}", "".join(lines[:number] + lines[number + 1:])
        for pattern in (r"^  - source_matchers:.*\n    target_matchers:.*\n(    equal:.*\n)?", r"^    - matchers:.*\n(      .*\n)*", r"^ *# begin (\w+)\n(.*\n)*? *# end \1\n"):
            for match in re.finditer(pattern, self.original, re.M):
                yield f"left out: {match[0].strip()}", self.original[:match.start()] + self.original[match.end():]
        for pattern, changed in (
            (r"(?<=receiver: )\w+", lambda word: "everyday" if word == "urgent" else "urgent"),
            (r"(?<=severity=\")\w+", lambda word: "warning" if word == "critical" else "critical"),
            (r"(?<=name=\")\w+(?=\")", lambda word: "redis" if word == "database" else "database"),
            (r"(?<=job=\")\w+", lambda word: "redis" if word == "postgres" else "postgres"),
            (r", (name|job)=\"\w+\"", lambda _: ""),
            (r"alertname=\"\w+\", ", lambda _: ""),
            (r"(?<=[\"|])[A-Za-z.*]+\|", lambda _: ""),
            (r"\|[A-Za-z.*]+(?=\")", lambda _: ""),
            (r"(?<=send_resolved: )\w+", lambda word: "false" if word == "true" else "true"),
            (r"(?<=group_by: \[)\w+, ", lambda _: ""),
            (r"(?<=group_by: \[alertname), \w+", lambda _: ""),
        ):
            for match in re.finditer(pattern, self.original):
                text = self.original[:match.start()] + changed(match[0]) + self.original[match.end():]
                number = self.original.count("\n", 0, match.start()) + 1
                yield f"line {number}: {match[0]!r} as {changed(match[0])!r}", text

    def noticed(self, mutant):
        with tempfile.TemporaryDirectory() as scratch:
            template = pathlib.Path(scratch) / "alertmanager.yml"
            template.write_text(mutant)
            return alertmanager_test.run(template)
