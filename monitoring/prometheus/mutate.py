#!/usr/bin/env python3
"""Breaks alerts.yml in every way that a slip of the hand could, one at a time, and says which break no test of
alerts_test.py notices.

usage: mutate.py [COUNT]   only so many, chosen by chance; the choice is printed by its seed, which SEED repeats
"""
import copy
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile

import yaml

import alerts_test

HERE = pathlib.Path(__file__).parent


def numbers(expression):
    """The numbers that are compared with or calculated with: not those within a name, a selector or a range."""
    return [match for match in re.finditer(r"(?<=[ (])\d+(\.\d+)?(?=[ )]|$)", expression)]


def broken(rule):
    """Each way in which a rule could be wrong, with what was done to it; a rule of None is left out."""
    yield "left out", None
    severity = rule["labels"]["severity"]
    yield "another severity", {**rule, "labels": {**rule["labels"], "severity": "warning" if severity == "critical" else "critical"}}
    amount = re.match(r"(\d+)(\w)", rule.get("for", "0m"))
    if amount[1] != "0":
        yield "without its time", {key: value for key, value in rule.items() if key != "for"}
    yield "a longer time", {**rule, "for": f"{int(amount[1]) * 2 or 30}{amount[2]}"}
    expression = rule["expr"]
    for one, other in ((" > ", " < "), (" < ", " > "), (" == ", " != "), (" and ", " or "), (" or ", " and "), (" unless ", " and ")):
        for match in re.finditer(one, expression):
            yield f"{one.strip()} as {other.strip()}", {**rule, "expr": expression[:match.start()] + other + expression[match.end():]}
    for match in numbers(expression):
        for factor in (0.6, 1.6):
            changed = float(match[0]) * factor if float(match[0]) else 1
            yield f"{match[0]} as {changed:g}", {**rule, "expr": f"{expression[:match.start()]}{changed:.10g}{expression[match.end():]}"}


def mutants(document):
    for group, entry in enumerate(document["groups"]):
        for number, rule in enumerate(entry["rules"]):
            for what, changed in broken(rule):
                mutant = copy.deepcopy(document)
                mutant["groups"][group]["rules"][number:number + 1] = [changed] if changed else []
                yield rule["alert"], f"{rule['alert']} ({rule['expr'].strip()[:60]}): {what}", mutant


def survivors(chosen):
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(HERE / "recording.yml", scratch)
        for alert, what, mutant in chosen:
            (pathlib.Path(scratch) / "alerts.yml").write_text(yaml.safe_dump(mutant, sort_keys=False))
            if not alerts_test.run(scratch, [alert]):
                yield what


def main():
    rules = yaml.safe_load((HERE / "alerts.yml").read_text())
    every = list(mutants(rules))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else len(every)
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    chosen = random.Random(seed).sample(every, min(count, len(every)))
    if list(survivors([("EdgeDown", "nothing", rules)])) != ["nothing"]:
        sys.exit("the tests fail on the rules as they are")
    alive = 0
    for what in survivors(chosen):
        alive += 1
        print(f"survives: {what}", flush=True)
    print(f"{len(chosen)} of {len(every)} mutants, {alive} survive (SEED={seed})")
    sys.exit(alive > 0)


if __name__ == "__main__":
    main()
