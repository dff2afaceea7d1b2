"""The output of `make release`: the same bytes each time, complete, described, and usable as it is."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from Tests.Pipeline.job import ROOT, git
from Tests.Release.releases import FIRST, Releases, clean_project


def setUpModule():
    global RELEASES
    RELEASES = Releases()


def run(*command, check=True, **options):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if check and done.returncode:
        raise AssertionError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout + done.stderr


class Release(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(dir="/var/tmp")))

    def unpacked(self):
        run("tar", "-xzf", RELEASES.one(RELEASES.first, "*.tar.gz"), "-C", self.scratch)
        return RELEASES.one(self.scratch, "terroir-*")

    def test_two_builds_of_a_commit_in_two_places_give_the_same_bytes(self):
        self.assertEqual((RELEASES.first / "SHA256SUMS").read_text(), (RELEASES.again() / "SHA256SUMS").read_text())

    def test_every_file_is_summed_up_or_says_what_is_new(self):
        run("sha256sum", "--check", "SHA256SUMS", cwd=RELEASES.first)
        summed = set(re.findall(r"^\w{64}  (.+)$", (RELEASES.first / "SHA256SUMS").read_text(), re.M))
        self.assertEqual({path.name for path in RELEASES.first.iterdir()}, summed | {"SHA256SUMS", "NOTES.md"})
        self.assertEqual((RELEASES.first / "NOTES.md").read_text().strip(), "### Added\n\n- Something new.")

    def test_what_is_not_committed_is_not_released(self):
        project = clean_project()
        self.addCleanup(project.close)
        (project.folder / "Sources/Values/New.swift").write_text("\n")
        self.assertIn("commit or stash these first:\n?? Sources/Values/New.swift", run("scripts/release", check=False, cwd=project.folder))
        git(project.folder, "clean", "--quiet", "--force")
        git(project.folder, "tag", "v899.0.0")  # a version that the changelog lacks
        self.assertIn("CHANGELOG.md has no notes for 899.0.0", run("scripts/release", check=False, cwd=project.folder))

    def test_the_archive_runs_as_it_is_and_says_what_it_is(self):
        folder = self.unpacked()
        self.assertRegex(run(folder / "terroir", "version"), rf"^terroir {FIRST} \(revision [0-9a-f]{{40}}, Swift 6\.\d\)\n$")
        self.assertNotIn("swift", run("ldd", folder / "terroir").replace(str(folder), ""))
        self.assertNotRegex(run("readelf", "--dynamic", folder / "terroir"), "RUNPATH|RPATH")
        for name in ("swift-backtrace", "LICENSE", "CHANGELOG.md", "README.md", "terroir.cdx.json", "systemd/terroir.service"):
            self.assertTrue((folder / name).is_file(), name)

    def test_the_package_keeps_to_debian_s_policy(self):
        # Symbols are kept for backtraces.
        run("lintian", "--fail-on", "error", "--suppress-tags", "unstripped-binary-or-object", RELEASES.one(RELEASES.first, "*.deb"))

    def test_the_package_has_what_its_document_on_disasters_runs(self):
        names = run("dpkg-deb", "--contents", RELEASES.one(RELEASES.first, "*.deb"))
        commands = set(re.findall(r"^(scripts/\S+)", (ROOT / "docs/disaster-recovery.md").read_text(), re.M))
        self.assertIn("scripts/install", commands)
        for command in commands:
            self.assertRegex(names, rf"(?m)^-rwx.* \./usr/lib/terroir/{command}$")

    def test_the_manual_is_read_without_a_warning(self):
        manual = self.unpacked() / "terroir.1"
        warnings = run("mandoc", "-Tlint", "-Wwarning", manual, check=False).splitlines()
        self.assertEqual([line for line in warnings if "missing date" not in line], [])  # the same bytes on any day
        shown = re.sub(r".\x08", "", run("mandoc", "-Tascii", manual))
        self.assertIn("terroir user promote EMAIL", shown)
        self.assertIn("DATABASE_URL", shown)

    def test_fish_and_zsh_complete_too(self):
        completions = self.unpacked() / "completions"
        offered = run("fish", "--no-config", "-c", f"source {completions}/fish; complete -C 'terroir us'; complete -C 'terroir watch --max-p'; complete -C 'terroir watch --url '",
                      env={**os.environ, "HOME": str(self.scratch)})
        self.assertEqual([line.split("\t")[0] for line in offered.splitlines()], ["user", "--max-p95"])
        # zsh completes only on a terminal: here _describe prints what it would offer.
        script = '_describe() { print -l -- ${candidates%%:*}; }; compdef() { : }; words=(terroir "$@"); CURRENT=${#words}; . ' + str(completions / "zsh")
        for words, expected in ((["us"], "user"), (["watch", "--ma"], "--max-p95"), (["completions", ""], "fish")):
            self.assertIn(expected, run("zsh", "-fc", script, "zsh", *words).splitlines())
        self.assertEqual(run("zsh", "-fc", script, "zsh", "watch", "--url", ""), "")

    def test_the_bill_of_materials_names_what_is_linked_with_licences(self):
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
        folder = self.unpacked()
        for path in RELEASES.first.glob("*.cdx.json"):
            self.assertIsNone(JsonStrictValidator(SchemaVersion.V1_5).validate_str(path.read_text()), path.name)
        text = (folder / "terroir.cdx.json").read_text()
        self.assertEqual(text, RELEASES.one(RELEASES.first, "*-linux-*.cdx.json").read_text())
        components = {each["name"]: each for each in json.loads(text)["components"]}
        self.assertEqual([name for name, each in components.items() if not each.get("licenses")], [])
        self.assertEqual(components["swift"]["licenses"], [{"expression": "Apache-2.0 WITH Swift-exception"}])
        for library in re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "--dynamic", folder / "terroir")):
            owners = {line.split(":")[0] for line in run("dpkg", "--search", f"*/{library}").splitlines()}
            self.assertTrue(owners & set(components), f"{library}: {owners}")

    def test_the_image_is_the_dockerfile_s_and_runs(self):
        archive = RELEASES.one(RELEASES.first, "*-oci-*.tar")
        image = f"oci-archive:{archive}:{FIRST}"
        self.assertEqual(json.loads(run("skopeo", "inspect", image))["Labels"]["org.opencontainers.image.version"], FIRST)
        config = json.loads(run("skopeo", "inspect", "--config", image))["config"]
        self.assertEqual((config["User"], config["Entrypoint"], config["Cmd"]), ("1001:1001", ["/usr/bin/tini", "--", "terroir"], ["serve"]))
        self.assertEqual(set(config["ExposedPorts"]), {"3000/tcp", "9464/tcp"})
        self.assertIn(f"SERVICE_VERSION={FIRST}", config["Env"])
        if os.geteuid() != 0:
            self.skipTest("only root can unpack it as it is")
        run("skopeo", "copy", image, f"oci:{self.scratch}/layout:terroir")
        run("umoci", "unpack", "--image", f"{self.scratch}/layout:terroir", self.scratch / "bundle")
        root = self.scratch / "bundle/rootfs"
        # With /proc, from which Swift reads a program's arguments.
        said = run("unshare", "--mount", "sh", "-ec", 'mount -t proc proc "$0/proc"; exec chroot --userspec=1001:1001 "$0" terroir version', root)
        self.assertTrue(said.startswith(f"terroir {FIRST} "), said)
        self.assertRegex((root / "etc/passwd").read_text(), "(?m)^terroir:[^:]*:1001:1001:")
        self.assertTrue((root / "etc/ssl/certs/ca-certificates.crt").stat().st_size)
        self.assertFalse((root / "usr/bin/apt-get").exists())
        packages = {each["name"] for each in json.loads(RELEASES.one(RELEASES.first, "*-oci-*.cdx.json").read_text())["components"]}
        self.assertLessEqual({"libpq5", "tini", "bash", "swift"}, packages)
        self.assertLess(archive.stat().st_size, 180 << 20)
