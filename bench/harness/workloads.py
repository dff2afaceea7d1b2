"""What is measured: a request, the servers that answer it, and how its answer is verified."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.data import Data
from harness.servers import Failure, Running

STATIC = ["terroir", "C ceiling", "hyper", "fasthttp", "Hummingbird", "FastAPI"]


@dataclass
class Workload:
    name: str
    requests: list[bytes]
    servers: list[str]
    verify: Callable[[Running], None]
    pipelined: int = 1
    connections: int = 64
    is_ingestion: bool = False
    needs_day: bool = False
    options: list[str] = field(default_factory=list)


def get(path: str, token: str = "") -> bytes:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{authorization}\r\n".encode()


def expect(path: str, holds: Callable[[bytes], bool], token: str = "") -> Callable[[Running], None]:
    """A check that the answer is 200 and that `holds` is true of its body."""

    def verify(running: Running) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        for _ in range(2):  # the second may come from a cache
            status, body = running.request("GET", path, headers=headers)
            if status != 200 or not holds(body):
                raise Failure(f"{running.server.name}: GET {path} answered {status}: {body[:300]!r}")

    return verify


def members(**wanted) -> Callable[[bytes], bool]:
    return lambda body: wanted.items() <= json.loads(body).items()


def items(count: int) -> Callable[[bytes], bool]:
    return lambda body: len(json.loads(body)["items"]) == count


def accepts_ten(data: Data) -> Callable[[Running], None]:
    """Ten readings are accepted, and are duplicates the second time; peers need not check keys."""

    def verify(running: Running) -> None:
        head, _, body = data.ingestion[1].partition(b"\r\n\r\n")
        times = [f"{data.day[0][:-5]}.{i:03}Z".encode() for i in range(10)]
        for time in times:
            body = body.replace(b"@" * 24, time, 1)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        for accepted in (10, 0):
            status, answer = running.request("POST", data.readings_path(1), body, headers)
            if status != 200 or json.loads(answer) != {"accepted": accepted, "duplicates": 10 - accepted, "rejected": []}:
                raise Failure(f"{running.server.name}: readings answered {status}: {answer[:300]!r}")

    return verify


def all_workloads(data: Data) -> list[Workload]:
    live = expect("/livez", members(status="ok"))
    garden = f"/api/gardens/{data.garden}"
    location = {"latitude": 48.86, "longitude": 2.35}
    is_garden = members(id=data.garden, name="Walled garden", areaSquareMetres=420, public=True, location=location)
    key = data.keys[0]
    gardens = expect(garden, is_garden)
    return [
        Workload("GET /livez", [get("/livez")], STATIC + ["terroir, request log"], live),
        Workload("GET /livez, 16 pipelined", [get("/livez")], STATIC, live, pipelined=16),
        Workload("GET /livez, 1000 connections", [get("/livez")], ["terroir", "C ceiling"], live, connections=1000),
        Workload(
            "GET /version", [get("/version")], ["terroir", "hyper", "fasthttp", "FastAPI"],
            expect("/version", members(name="terroir"))),
        Workload(
            "GET /api/gardens/{id}, cached in Redis", [get(garden)],
            ["terroir", "fasthttp, cache on", "FastAPI, cache on"], gardens),
        Workload(
            "GET /api/gardens/{id}, one row by key", [get(garden)],
            ["terroir, cache off", "hyper", "fasthttp", "FastAPI"], gardens),
        Workload(
            "GET /api/businesses?limit=20", [get("/api/businesses?limit=20")], ["terroir", "terroir, cache off"],
            expect("/api/businesses?limit=20", items(20))),
        Workload(
            "GET a day of readings in 5-minute buckets", [get(data.buckets_path, key)], ["terroir"],
            expect(data.buckets_path, items(288), key), needs_day=True),
        Workload(
            "GET /metrics", [get("/metrics")], ["terroir"],
            expect("/metrics", lambda body: b"http_requests_total{" in body), connections=1),
        Workload(
            "POST 10 readings, durable", data.ingestion, ["terroir", "hyper", "fasthttp", "FastAPI"],
            accepts_ten(data), is_ingestion=True),
    ]
