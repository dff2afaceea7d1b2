"""The workloads: a request, the servers that answer it, and how the answer is verified."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from harness import conditions
from harness.data import Data
from harness.servers import Failure, Running

PAGES_OF_CLIENT = 16  # the most pages of history that the server reads concurrently for one client
STATIC = ["terroir", "C ceiling", "hyper", "fasthttp", "Hummingbird", "Node", "FastAPI"]


@dataclass
class Workload:
    """`prepare` creates what `verify` checks; a server that is not pinned shares all cores with the load."""

    name: str
    requests: list[bytes]
    servers: list[str]
    verify: Callable[[Running], None]
    prepare: Callable[[Running], None] = lambda running: None
    pipelined: int = 1
    connections: int = 64
    rate: float = 0
    scrapes_per_second: float = 0
    lasts: float = 1  # in units of the others' duration
    is_ingestion: bool = False
    is_pinned: bool = True


def get(path: str, token: str = "", more: str = "") -> bytes:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{authorization}{more}\r\n".encode()


def expect(path: str, holds: Callable[[bytes], bool], token: str = "") -> Callable[[Running], None]:
    """A check that the answer is a 200 whose body satisfies `holds`."""

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


def holds_year(data: Data) -> Callable[[Running], None]:
    def verify(running: Running) -> None:
        pages = [running.json("GET", path, token=data.keys[1])["items"] for path in conditions.year_paths(data)]
        if sum(len(page) for page in pages) != len(data.year):
            raise Failure(f"{running.server.name}: the year's pages have {[len(page) for page in pages]} buckets")

    return verify


def accepts_ten(data: Data) -> Callable[[Running], None]:
    """Checks that ten readings are accepted, and are duplicates the second time; peers need not check keys."""

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
    return [*static_workloads(), *garden_workloads(data), *history_workloads(data), *metrics_workloads(data)]


def static_workloads() -> list[Workload]:
    live = expect("/livez", members(status="ok"))
    request = [get("/livez")]
    return [
        Workload("GET /livez", request, STATIC + ["terroir, request log"], live),
        Workload("GET /livez, 16 pipelined", request, STATIC, live, pipelined=16),
        Workload(
            "GET /livez, a connection per request", [get("/livez", more="Connection: close\r\n")],
            ["terroir", "hyper", "fasthttp", "Hummingbird", "Node", "FastAPI"], live),
        Workload("GET /livez, 1000 connections", request, ["terroir", "C ceiling"], live, connections=1000),
        Workload(
            "GET /livez, 10,000 mostly idle connections", request, ["terroir", "hyper", "fasthttp"], live,
            connections=10_000, rate=2000),
        Workload("GET /livez, not pinned", request, ["terroir", "fasthttp"], live, is_pinned=False),
        Workload(
            "GET /version", [get("/version")], ["terroir", "hyper", "fasthttp", "Node", "FastAPI"],
            expect("/version", members(name="terroir"))),
    ]


def garden_workloads(data: Data) -> list[Workload]:
    path = f"/api/gardens/{data.garden}"
    request = [get(path)]
    location = {"latitude": 48.86, "longitude": 2.35}
    garden = expect(
        path, members(id=data.garden, name="Walled garden", areaSquareMetres=420, public=True, location=location))
    businesses, all_businesses = "/api/businesses?limit=20", expect("/api/businesses?limit=20", items(20))
    return [
        Workload(
            "GET /api/gardens/{id}, cached", request,
            ["terroir", "terroir, limits off", "terroir, memory off", "hyper, cache on", "fasthttp, cache on",
             "Node, cache on", "FastAPI, cache on"], garden),
        Workload(
            "GET /api/gardens/{id}, one row by key", request,
            ["terroir, cache off", "hyper", "fasthttp", "Node", "FastAPI"], garden),
        Workload(
            "GET /api/gardens/{id}, one row by key, not pinned", request, ["terroir, cache off", "fasthttp"], garden,
            is_pinned=False),
        Workload(f"GET {businesses}", [get(businesses)], ["terroir", "terroir, cache off"], all_businesses),
        Workload(
            "GET /api/businesses, 1000 at once", [get("/api/businesses")], ["terroir"],
            expect("/api/businesses", items(20)), connections=1000),
        Workload(
            "GET /api/gardens, 100 at once", [get("/api/gardens")], ["terroir"], expect("/api/gardens", items(1)),
            connections=100, lasts=7.5),
    ]


def history_workloads(data: Data) -> list[Workload]:
    key = data.keys[0]
    return [
        Workload(
            "GET a day of readings in 5-minute buckets", [get(data.buckets_path, key)], ["terroir"],
            expect(data.buckets_path, items(288), key), lambda running: conditions.day_of_readings(running, data),
            connections=PAGES_OF_CLIENT),
        Workload(
            "GET a year of readings in 5-minute buckets, page by page",
            [get(path, data.keys[1]) for path in conditions.year_paths(data)], ["terroir"], holds_year(data),
            lambda running: conditions.year_of_buckets(data), connections=1),
        Workload(
            "POST 10 readings, durable", data.ingestion, ["terroir", "hyper", "fasthttp", "Node", "FastAPI"],
            accepts_ten(data), is_ingestion=True),
    ]


def metrics_workloads(data: Data) -> list[Workload]:
    def make_series(running: Running) -> None:
        conditions.ten_thousand_series(running, data)

    scrape = [get("/metrics")]
    path = f"/api/gardens/{data.garden}"
    garden, many = expect(path, members(id=data.garden)), f"{conditions.SERIES:,} series"
    return [
        Workload(
            "GET /metrics", scrape, ["terroir"], expect("/metrics", lambda body: b"http_requests_total{" in body),
            connections=1),
        Workload(
            f"GET /metrics, {many}", scrape, ["terroir"],
            expect("/metrics", lambda body: conditions.series(body) >= conditions.SERIES), make_series, connections=1),
        Workload(
            f"GET /api/gardens/{{id}} at 2,000/s, {many}", [get(path)], ["terroir"], garden, make_series, rate=2000),
        Workload(
            f"GET /api/gardens/{{id}} at 2,000/s, {many}, scraped four times a second", [get(path)], ["terroir"], garden,
            make_series, rate=2000, scrapes_per_second=4),
    ]
