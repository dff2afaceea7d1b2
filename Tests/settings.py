"""The settings of the server that README.md lists, and those that operators give in special ways."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]


def listed():
    """All of them, by their names."""
    table = (ROOT / "README.md").read_text().partition("<!-- settings")[2].partition("<!-- end of settings")[0]
    return set(re.findall(r"^\| `(\w+)`", table, re.M))


def kinds():
    """The settings that a deployment fits together itself, and the secret ones: the two kinds in docs/operations.md."""
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    fitted, secret = re.findall(r"^- .*(?:\n  .*)*", section.partition("Two kinds")[2], re.M)
    return tuple(set(re.findall(r"`([A-Z_]+)`", kind)) for kind in (fitted, secret))
