"""Prometheus' rules, broken one at a time, and tested by the promtool tests of alerts_test.py."""
import pathlib
import re
import tempfile

import yaml

from monitoring.prometheus import alerts_test

HERE = pathlib.Path(alerts_test.__file__).parent
# Alternatives for parts of an expression; the spaces tell names from operators.
OPERATORS = ((" > ", " < "), (" < ", " > "), (" == ", " != "), (" and ", " or "), (" or ", " and "), (" unless ", " and "), (" / ", " * "))


def numbers(expression):
    """The numbers compared with or calculated with: not those within a name, a selector or a range."""
    return re.finditer(r"(?<=[ (])\d+(\.\d+)?(?=[ ),]|$)", expression)


def broken_expressions(expression):
    """Each way in which an expression could be wrong, with a description."""
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
    for match in re.finditer(r"\[(\d+)(\w(:\w+)?)\]", expression):
        yield f"{match[0]} as ten times that", replaced(match, f"[{match[1]}0{match[2]}]")


RECORDED = {rule["record"]: rule["expr"] for group in yaml.safe_load((HERE / "recording.yml").read_text())["groups"] for rule in group["rules"]}


def sources(expression):
    """The recording rules that an expression depends on, with their dependencies."""
    found = set(re.findall(r"\bapi:[\w:]+", expression))
    return found.union(*(sources(RECORDED[name]) for name in found))


class Rules:
    """One rule file, and of the other only what the tests of the broken rule need: each rule takes time."""
    FILE, OTHER, EQUIVALENT = "", "", {}

    def __enter__(self):
        self.written = yaml.safe_load((HERE / self.FILE).read_text())["groups"]
        return self

    def __exit__(self, *_):
        pass

    def mutants(self):
        for group in self.written:
            for rule in group["rules"]:
                for what, changed in self.broken(rule):
                    name = rule.get("alert") or rule["record"]
                    yield f"{name} ({rule['expr'].strip()[:60]}): {what}", (name, self.around(rule, [changed] if changed else []))

    def original_of(self, mutant):
        rule = next(rule for group in self.written for rule in group["rules"] if mutant[0] in rule.values())
        return mutant[0], self.around(rule, [rule])

    def around(self, rule, changed):
        """The needed part of the file, with a rule replaced."""
        return [{**group, "rules": [each for other in group["rules"] if other is rule or self.is_needed(other, rule)
                                    for each in (changed if other is rule else [other])]} for group in self.written]

    def noticed(self, mutant):
        name, groups = mutant
        with tempfile.TemporaryDirectory() as scratch:
            for file, its_groups in ((self.FILE, groups), (self.OTHER, self.others(groups))):
                (pathlib.Path(scratch) / file).write_text(yaml.safe_dump({"groups": its_groups}, sort_keys=False))
            return alerts_test.run(scratch, self.tests(name))


class Alerts(Rules):
    FILE, OTHER = "alerts.yml", "recording.yml"

    @staticmethod
    def is_needed(other, rule):
        return other["alert"] == rule["alert"]

    @staticmethod
    def others(groups):
        names = sources(" ".join(rule["expr"] for group in groups for rule in group["rules"]))
        return [{"name": "recorded", "rules": [{"record": name, "expr": RECORDED[name]} for name in RECORDED if name in names]}]

    @staticmethod
    def tests(name):
        return [name]

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

    def is_needed(self, other, rule):
        names = self.tests(rule["record"])
        return other["record"] in {*names, *sources(" ".join(RECORDED[name] for name in names))}

    @staticmethod
    def others(_groups):
        return []

    @staticmethod
    def tests(name):
        """The tests of the rule, and of the rules that depend on it."""
        derived = {"api:errors:increase": "api:error_ratio:rate", "api:answers:increase": "api:error_ratio:rate", "api:latency_bucket:rate": "api:latency:p", "api:latency_route_bucket:rate": "api:latency_route:p95_"}
        begin, window = re.fullmatch(r"(\D+)(\d+[mhd])|(.+)", name).group(1, 2)
        return [name, *(record for record in alerts_test.RECORDED if begin in derived and record.startswith(derived[begin]) and record.endswith(window))]

    @staticmethod
    def broken(rule):
        yield "left out", None
        for what, expression in broken_expressions(rule["expr"]):
            yield what, {**rule, "expr": expression}
        if match := re.search(r" by \(([\w, ]+)\)", rule["expr"]):
            yield f"without{match[0]}", {**rule, "expr": rule["expr"].replace(match[0], "")}
