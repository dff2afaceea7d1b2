"""The rules of Prometheus, broken one at a time, and judged by the promtool tests of alerts_test.py."""
import copy
import pathlib
import re
import shutil
import tempfile

import yaml

from monitoring.prometheus import alerts_test

HERE = pathlib.Path(alerts_test.__file__).parent
# By what each stands for in an expression; the spaces keep names apart from operators.
OPERATORS = ((" > ", " < "), (" < ", " > "), (" == ", " != "), (" and ", " or "), (" or ", " and "), (" unless ", " and "), (" / ", " * "))


def numbers(expression):
    """The numbers that are compared with or calculated with: not those within a name, a selector or a range."""
    return re.finditer(r"(?<=[ (])\d+(\.\d+)?(?=[ ),]|$)", expression)


def broken_expressions(expression):
    """Each way in which an expression could be wrong, with what was done to it."""
    def replaced(match, text):
        return expression[:match.start()] + text + expression[match.end():]

    for one, other in OPERATORS:
        for match in re.finditer(re.escape(one), expression):
            yield f"{one.strip()} as {other.strip()}", replaced(match, other)
    for match in numbers(expression):
        for factor in (0.6, 1.6):
            changed = float(match[0]) * factor if float(match[0]) else 1
            yield f"{match[0]} as {changed:g}", replaced(match, f"{changed:.10g}")
    for match in re.finditer(r"\w+(=~|!~|!=|=)\"[^\"]*\",?", expression):
        yield f"without {match[0].rstrip(',')}", replaced(match, "").replace(",}", "}").replace("{}", "")
    for match in re.finditer(r"\[(\d+)(\w)\]", expression):
        yield f"{match[0]} as ten times that", replaced(match, f"[{match[1]}0{match[2]}]")


class Rules:
    """One file of rules beside the other as it is."""
    FILE, OTHER, EQUIVALENT = "", "", {}

    def __enter__(self):
        self.original = yaml.safe_load((HERE / self.FILE).read_text())
        return self

    def __exit__(self, *_):
        pass

    def mutants(self):
        for group, entry in enumerate(self.original["groups"]):
            for number, rule in enumerate(entry["rules"]):
                for what, changed in self.broken(rule):
                    mutant = copy.deepcopy(self.original)
                    mutant["groups"][group]["rules"][number:number + 1] = [changed] if changed else []
                    name = rule.get("alert") or rule["record"]
                    yield f"{name} ({rule['expr'].strip()[:60]}): {what}", {"names": self.tests(name), **mutant}

    def noticed(self, mutant):
        with tempfile.TemporaryDirectory() as scratch:
            shutil.copy(HERE / self.OTHER, scratch)
            document = {key: value for key, value in mutant.items() if key != "names"}
            (pathlib.Path(scratch) / self.FILE).write_text(yaml.safe_dump(document, sort_keys=False))
            return alerts_test.run(scratch, mutant.get("names", self.tests(None)))


class Alerts(Rules):
    FILE, OTHER = "alerts.yml", "recording.yml"

    @staticmethod
    def tests(name):
        return [name or "EdgeDown"]

    @staticmethod
    def broken(rule):
        yield "left out", None
        severity = rule["labels"]["severity"]
        yield "another severity", {**rule, "labels": {**rule["labels"], "severity": "warning" if severity == "critical" else "critical"}}
        amount = re.match(r"(\d+)(\w)", rule.get("for", "0m"))
        if amount[1] != "0":
            yield "without its time", {key: value for key, value in rule.items() if key != "for"}
        yield "a longer time", {**rule, "for": f"{int(amount[1]) * 2 or 30}{amount[2]}"}
        for what, expression in broken_expressions(rule["expr"]):
            yield what, {**rule, "expr": expression}


class Recording(Rules):
    FILE, OTHER = "recording.yml", "alerts.yml"

    @staticmethod
    def tests(name):
        """The tests of the record, and of what is worked out from it."""
        if not name:
            return ["api:requests:rate5m"]
        derived = {"api:errors:increase": "api:error_ratio:rate", "api:latency_bucket:rate": "api:latency:p", "api:latency_route_bucket:rate": "api:latency_route:p95_"}
        begin, window = re.fullmatch(r"(\D+)(\d+[mhd])|(.+)", name).group(1, 2)
        return [name, *(record for record in alerts_test.RECORDED if begin in derived and record.startswith(derived[begin]) and record.endswith(window))]

    @staticmethod
    def broken(rule):
        yield "left out", None
        for what, expression in broken_expressions(rule["expr"]):
            yield what, {**rule, "expr": expression}
        if match := re.search(r" by \(([\w, ]+)\)", rule["expr"]):
            yield f"without{match[0]}", {**rule, "expr": rule["expr"].replace(match[0], "")}
