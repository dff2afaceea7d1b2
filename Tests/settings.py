"""The settings of the server, as README.md lists them, and which of them an operator gives in another way than the others."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]


def listed():
    """All of them, by their names."""
    table = (ROOT / "README.md").read_text().partition("<!-- settings")[2].partition("<!-- end of settings")[0]
    return set(re.findall(r"^\| `(\w+)`", table, re.M))


def kinds():
    """What a deployment fits together by itself, and what is secret: the two kinds that docs/operations.md tells of."""
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    fitted, secret = re.findall(r"^- .*(?:\n  .*)*", section.partition("Two kinds")[2], re.M)
    return tuple(set(re.findall(r"`([A-Z_]+)`", kind)) for kind in (fitted, secret))
