"""The steps of docs/operations.md for a plain host, run as written, except for ports and folders."""
import os
import re
import shutil
import subprocess
import unittest

from Tests.Deploy.test_units import SystemdHost, needs_root
from Tests.Stack.stack import ROOT, until


@needs_root
class Documents(unittest.TestCase):
    def test_the_steps_for_a_plain_host_lead_to_a_server_that_serves(self):
        host = SystemdHost()
        self.addCleanup(host.close)
        for file in (host.folder / "systemd/units").iterdir():  # the steps install them
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        text = (ROOT / "docs/operations.md").read_text()
        section = re.search(r"^### On a plain host\n(.*?)^With compose", text, re.M | re.S)[1]
        blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)
        self.assertEqual(len(blocks), 5)
        lib = host.state / "lib"
        lib.mkdir()
        port = host.port
        for old, new in {
            "/opt/terroir": ROOT, "/var/lib/terroir": lib, "3001": port["blue"], "3002": port["green"], "9464": port["blue-metrics"],
            "9474": port["green-metrics"], " 80 443 8081 ": f" {port['http']} {port['https']} {port['status']} ", "5140": port["syslog"],
        }.items():
            blocks = [block.replace(old, str(new)) for block in blocks]
        settings = host.folder / "server.env"
        prepare, deploy, nginx, rollback, update = blocks
        # Files an operator writes by hand, and where the release folder differs from the unit's.
        place = f"sed -i 's|/var/lib/terroir|{lib}|' /etc/systemd/system/terroir@.service\nsystemctl daemon-reload\n"
        self.run_steps(host, prepare + f"cat {settings} >/etc/terroir/terroir.env\necho HOST=127.0.0.1 >>/etc/terroir/terroir.env\n" + place)
        for name in ("one", "two"):
            said = self.run_steps(host, deploy.replace(".build/release/terroir", str(host.release(name))))
            self.assertRegex(said, rf"(blue|green) serves since \S+: \S+ \(revision {name}\)")
        self.run_steps(host, nginx)
        said = self.run_steps(host, rollback + "scripts/deploy status\n")
        self.assertRegex(said, r"(blue|green) serves since \S+: \S+ \(revision one\)")

        # A newer release meets the kit of an older one, behind a running nginx.
        edge, unit = lib / "nginx", "/etc/systemd/system/terroir@.service"
        self.run_steps(host, f"nginx -c {edge}/nginx.conf >/dev/null 2>&1")
        self.addCleanup(self.run_steps, host, f"nginx -c {edge}/nginx.conf -s stop")
        self.run_steps(host, f"echo '# old' | tee -a {edge}/maps.conf >>{unit}\n")
        update = update.replace("git pull --ff-only\n", "").replace("systemctl daemon-reload\n", place).replace(".build/release/terroir", str(host.release("newer")))
        self.run_steps(host, update)
        self.run_steps(host, f"! grep '# old' {edge}/maps.conf {unit}\n")
        until("the newer release at the edge", lambda: host.served() == "newer")

    def run_steps(self, host, steps):
        lib = host.state / "lib"
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(host.folder), "DEPLOY_STATE": f"{lib}/deploy", "DEPLOY_RUNTIME": "systemd",
                       **{f"DEPLOY_{colour.upper()}{suffix}": f"127.0.0.1:{host.port[colour + (suffix and '-metrics')]}" for colour in ("blue", "green") for suffix in ("", "_METRICS")}}
        done = subprocess.run([*host.prefix, "bash", "-e", "-c", f"cd {ROOT}\n{steps}"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout
