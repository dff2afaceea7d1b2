"""Breaks a part of the configuration in every way that a slip could, one at a time, and prints the breaks that no test
notices.

usage: python -m Tests.Mutants [SUBJECT...]   alerts, recording, alertmanager, nginx; without a name all of them

COUNT takes a random sample of that size of each subject; its seed is printed, and SEED repeats it.
"""
import os
import random
import sys

from Tests.Mutants.alertmanager import Alertmanager
from Tests.Mutants.nginx import Nginx
from Tests.Mutants.rules import Alerts, Recording

SUBJECTS = {"alerts": Alerts, "recording": Recording, "alertmanager": Alertmanager, "nginx": Nginx}


def survivors(name, seed):
    """The number of a subject's mutants that no test notices, except those that its EQUIVALENT explains."""
    with SUBJECTS[name]() as subject:
        every = list(subject.mutants())
        chosen = random.Random(seed).sample(every, min(int(os.environ.get("COUNT", len(every))), len(every)))
        originals = []
        for _, mutant in chosen:
            if (original := subject.original_of(mutant)) not in originals:
                originals.append(original)
        for original in originals:
            if fault := subject.noticed(original):
                sys.exit(f"{name}: the tests fail on what is not broken: {fault}")
        alive = explained = 0
        for what, mutant in chosen:
            if subject.noticed(mutant):
                continue
            reason = next((reason for part, reason in subject.EQUIVALENT.items() if part in what), None)
            alive, explained = alive + (not reason), explained + bool(reason)
            print(f"{name}: {what} " + (f"changes nothing: {reason}" if reason else "SURVIVES"), flush=True)
    print(f"{name}: {len(chosen)} of {len(every)} mutants, {alive} survive, {explained} change nothing (SEED={seed})", flush=True)
    return alive


def main():
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    sys.exit(sum(survivors(name, seed) for name in sys.argv[1:] or SUBJECTS) > 0)


main()
