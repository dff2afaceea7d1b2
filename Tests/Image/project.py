"""A copy of the project with its own .env and secrets, run on a Docker engine as an operator runs it."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE = "terroir:image-test"
HTTPS_PORT = "28443"
SETTINGS = {
    "COMPOSE_PROJECT_NAME": "terroir-image-test", "TERROIR_IMAGE": IMAGE, "HTTP_PORT": "28080", "HTTPS_PORT": HTTPS_PORT,
    "EDGE_RATE": "500r/s", "EDGE_BURST": "500", "BALLAST_MEGABYTES": "64",
}

folder = pathlib.Path()
environment = {}


def make(**settings):
    """Copies what git tracks; `settings` go into .env.example, and also into `.env` if that is a copy of it."""
    global folder
    folder = pathlib.Path(tempfile.mkdtemp(prefix="terroir-project-"))
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["xargs", "-0", "cp", "--parents", "-t", folder], cwd=ROOT, input=files, check=True)
    # `docker compose` as written, and a curl that finds the stack on its own port instead of 443.
    plugins = folder / "docker/cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-compose").symlink_to(ROOT / ".venv/bin/docker-compose")
    (folder / ".curlrc").write_text(f'connect-to = "localhost:443:127.0.0.1:{HTTPS_PORT}"\n')
    if not shutil.which("sudo"):  # already root
        (folder / "bin").mkdir()
        (folder / "bin/sudo").write_text('#!/bin/sh\nexec "$@"\n')
        (folder / "bin/sudo").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_") and name not in SETTINGS}
    environment.update(kept, DOCKER_CONFIG=str(folder / "docker"), CURL_HOME=str(folder), DOCKER_BUILDKIT="1", PATH=f"{folder}/bin:{os.environ['PATH']}")
    configure(folder / ".env.example", SETTINGS | settings)
    shutil.copy(folder / ".env.example", folder / ".env")
    run("scripts/secrets")
    run("docker", "build", "--quiet", "--file", "deploy/backup/Dockerfile", "--tag", "terroir-postgres:dev", ".")


def configure(path, settings):
    """Sets variables in a file of variables."""
    lines = [line for line in path.read_text().splitlines() if line.split("=")[0].lstrip("#") not in settings]
    path.write_text("\n".join(lines + [f"{name}={value}" for name, value in settings.items()]) + "\n")


def down():
    """Removes what an earlier run may have left, too, whatever its profiles were."""
    compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)


def remove():
    down()
    shutil.rmtree(folder, ignore_errors=True)


def run(*command, check=True):
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(f"{command}: {done.stdout[-1000:]}{done.stderr[-3000:]}")
    return done


def docker(*arguments, check=True):
    return run("docker", *arguments, check=check).stdout.strip()


def compose(*arguments, check=True):
    return docker("compose", *arguments, check=check)


def up():
    done = run("docker", "compose", "up", "--detach", "--no-build", "--pull", "never", "--wait", "--wait-timeout", "180", check=False)
    if done.returncode:
        raise AssertionError(f"{done.stderr[-800:]}{compose('logs', '--tail', '20', check=False)[-6000:]}")


def inspect(name, kind="container"):
    return json.loads(docker(kind, "inspect", name))[0]


def containers(form, *arguments):
    """The engine's state of the services' containers. Asked often, and compose takes ten times as long."""
    labels = {"project": SETTINGS["COMPOSE_PROJECT_NAME"], "oneoff": "False"}
    filters = (f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items())
    return docker("ps", "--no-trunc", "--format", form, *filters, *arguments)


def container(service):
    return containers("{{.ID}}", "--all", f"--filter=label=com.docker.compose.service={service}")


def running():
    return sorted(containers('{{.Label "com.docker.compose.service"}}').split())


def is_healthy(service):
    state = inspect(container(service))["State"]
    return state["Running"] and state.get("Health", {"Status": "healthy"})["Status"] == "healthy"


def timetable_rests():
    """Whether no backup and no restore test is running: both start with the stack, the latter on Sundays."""
    return "sleep 60" in docker("top", container("backup"), "-eo", "pid,args", check=False)


def until(what, condition, seconds):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.5)
    return value


def curl(path, *arguments, seconds=20):
    done = run("curl", "-sk", "--max-time", str(seconds), "-w", "\n%{http_code}", *arguments, f"https://127.0.0.1:{HTTPS_PORT}{path}", check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body


def post(path, body, token=None):
    authorization = ("-H", f"Authorization: Bearer {token}") if token else ()
    status, text = curl(path, "-H", "Content-Type: application/json", "-d", json.dumps(body), *authorization)
    return status, json.loads(text)
