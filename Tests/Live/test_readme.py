"""The README's tour with curl, pasted whole into a shell that has no jq and no terroir on its PATH."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from Tests.Live.service import ROOT, Service

TOOLS = ["curl", "grep", "head", "cut", "date", "seq", "sleep"]


class Readme(unittest.TestCase):
    def test_tour(self):
        tour = (ROOT / "README.md").read_text().split("## A tour with curl")[1].split("\n## ")[0]
        script = "".join(re.findall(r"^```sh\n(.*?)^```", tour, re.DOTALL | re.MULTILINE))
        with Service() as service, tempfile.TemporaryDirectory() as folder:
            for tool in TOOLS:
                os.symlink(shutil.which(tool), pathlib.Path(folder, tool))
            # One paste: each line is typed, whatever the result of the one before.
            run = subprocess.run(
                [shutil.which("bash"), "--norc", "-s"], input=script.replace("http://127.0.0.1:3000", service.url),
                env={"PATH": folder}, capture_output=True, text=True, timeout=120)
        self.assertEqual(run.stderr, "")
        shown = [
            '"displayName":"Ada"', '"name":"Tomato bed"', '"accepted":1,"duplicates":0', '"accepted":0,"duplicates":1',
            "soil_moisture,23.5,", '"mean":23.5,"count":1', "must be an email address",
        ]
        self.assertEqual([text for text in shown if text not in run.stdout], [], run.stdout)
