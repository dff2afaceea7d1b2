"""The servers under measurement, and how to start each on its core."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import time
from dataclasses import dataclass, field

SERVER_CORE = 0
BUILT = pathlib.Path(os.environ["BENCH_BUILT"])
LOGS = BUILT / "logs"


class Failure(Exception):
    """A server did something wrong, so the run is worthless."""


@dataclass
class Server:
    """A program that listens on 127.0.0.1:$PORT."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    ready: str = "/livez"

    @property
    def is_built(self) -> bool:
        return pathlib.Path(self.command[0]).exists()

    def start(self, is_pinned: bool = True) -> "Running":
        running = self.launch(is_pinned)
        running.wait_until_ready()
        return running

    def launch(self, is_pinned: bool = True) -> "Running":
        """Starts it without waiting."""
        port = free_port()
        command = [part.replace("$PORT", str(port)) for part in self.command]
        environment = os.environ | self.environment | {"PORT": str(port)}
        LOGS.mkdir(exist_ok=True)
        with open(LOGS / f"{self.name}.log", "ab") as log:
            pin = ["taskset", "-c", str(SERVER_CORE)] if is_pinned else []
            process = subprocess.Popen([*pin, *command], env=environment, stdout=subprocess.DEVNULL, stderr=log)
        return Running(self, process, port)


@dataclass
class Running:
    """A running server."""

    server: Server
    process: subprocess.Popen
    port: int

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None):
        """The status and the body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def json(self, method: str, path: str, content=None, token: str = ""):
        """The JSON of an answer, which must be a success."""
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = None if content is None else json.dumps(content).encode()
        status, answer = self.request(method, path, body, headers)
        if status // 100 != 2:
            raise Failure(f"{self.server.name}: {method} {path} answered {status}: {answer[:300]!r}")
        return json.loads(answer)

    def wait_until_ready(self) -> None:
        for _ in range(200):
            if self.process.poll() is not None:
                raise Failure(f"{self.server.name} ended with {self.process.returncode}: see {LOGS}")
            try:
                if self.request("GET", self.server.ready)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.__exit__()
        raise Failure(f"{self.server.name} did not answer {self.server.ready} within 10 s")

    def memory_mb(self, name: str) -> float:
        """VmRSS is what is resident now, VmHWM the peak, in MB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024 / 1e6


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def all_servers(terroir: str) -> dict[str, Server]:
    """By name; `chosen` leaves out those that could not be built here."""
    # On, as in production, but so high that no load is refused.
    limits = [f"RATE_LIMIT_{who}" for who in ["ANONYMOUS", "USER", "DEVICE", "REGISTRATION"]]
    # A worker per core that it may use. Peers do not log requests; "terroir, request log" does, as is the default.
    terroir_environment = dict.fromkeys(limits, "100000000/60") | {
        "HOST": "127.0.0.1", "METRICS_PORT": "0", "LOG_LEVEL": "warn", "SHUTDOWN_DRAIN_SECONDS": "0",
        "ENVIRONMENT": "production", "JWT_SECRET": "b1946ac92492d2347c6235b4d2611184-benchmark-only",
        "ACCESS_TOKEN_SECONDS": "86400", "INSIGHTS_INTERVAL_SECONDS": "0",
    }
    python = str(BUILT / "fastapi/bin/python")
    app = str(pathlib.Path(__file__).parents[1] / "peers/fastapi")
    uvicorn = [python, "-m", "uvicorn", "app:app", "--app-dir", app, "--host", "127.0.0.1", "--port", "$PORT"]
    uvicorn += ["--no-access-log", "--log-level", "warning", "--workers", "1"]
    node = [str(BUILT / "node/node"), str(pathlib.Path(__file__).parents[1] / "peers/node/server.js")]
    modules = {"NODE_PATH": str(BUILT / "node/usr/share/nodejs"), "NODE_ENV": "production"}
    servers = [
        Server("terroir", [terroir, "serve"], terroir_environment, "/readyz"),
        Server("terroir, cache off", [terroir, "serve"], terroir_environment | {"CACHE": "off"}, "/readyz"),
        Server("terroir, memory off", [terroir, "serve"], terroir_environment | {"CACHE_MEMORY": "0"}, "/readyz"),
        Server("terroir, limits off", [terroir, "serve"], terroir_environment | dict.fromkeys(limits, "off"), "/readyz"),
        Server("terroir, request log", [terroir, "serve"], terroir_environment | {"LOG_LEVEL": "info"}, "/readyz"),
        Server("C ceiling", [str(BUILT / "ceiling"), "$PORT"]),
        Server("fasthttp", [str(BUILT / "go")]),
        Server("fasthttp, cache on", [str(BUILT / "go")], {"CACHE": "on"}),
        Server("hyper", [str(BUILT / "hyper")]),
        Server("hyper, cache on", [str(BUILT / "hyper")], {"CACHE": "on"}),
        Server("Hummingbird", [str(BUILT / "hummingbird")]),
        Server("Node", node, modules),
        Server("Node, cache on", node, modules | {"CACHE": "on"}),
        Server("FastAPI", uvicorn),
        Server("FastAPI, cache on", uvicorn, {"CACHE": "on"}),
    ]
    return {server.name: server for server in servers}
