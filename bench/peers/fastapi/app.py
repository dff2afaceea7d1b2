"""Terroir's measured routes in FastAPI: uvicorn, asyncpg, redis and prometheus-client. Every request is counted."""

import json
import os
import time
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg
import redis.asyncio
from fastapi import FastAPI, HTTPException, Response
from prometheus_client import Counter, Histogram
from pydantic import BaseModel

LABELS = ["method", "route", "status"]
BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 1, 2, 2.5, 3, 5, 7, 10]
REQUESTS = Counter("http_requests", "Requests.", LABELS)
DURATIONS = Histogram("http_request_duration_seconds", "Durations.", LABELS, buckets=BUCKETS)


class Measured:
    """Counts and times requests as plain ASGI middleware: the cheapest way."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, status = time.perf_counter(), 500

        async def note_status(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, note_status)
        route = scope["route"].path if "route" in scope else "unmatched"
        REQUESTS.labels(scope["method"], route, status).inc()
        DURATIONS.labels(scope["method"], route, status).observe(time.perf_counter() - start)


@asynccontextmanager
async def stores(app):
    app.state.database = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=32, max_size=32)
    app.state.redis = redis.asyncio.from_url(os.environ["REDIS_URL"], max_connections=64)
    yield
    await app.state.database.close()


app = FastAPI(lifespan=stores)
app.add_middleware(Measured)


@app.get("/livez")
async def livez():
    return Response('{"status":"ok"}', media_type="application/json")


@app.get("/version")
async def version():
    return {"name": "terroir", "version": "0.1.0", "revision": "unknown", "python": "3"}


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


async def load(garden: UUID) -> bytes:
    row = await app.state.database.fetchrow(
        """SELECT id, owner_id, name, latitude, longitude, area_square_metres, public, created_at, updated_at
        FROM gardens WHERE id = $1 AND public""",
        garden,
    )
    if row is None:
        raise HTTPException(404)
    place = None
    if row["latitude"] is not None:
        place = {"latitude": row["latitude"], "longitude": row["longitude"]}
    members = {
        "id": str(row["id"]), "ownerId": str(row["owner_id"]), "name": row["name"], "location": place,
        "areaSquareMetres": row["area_square_metres"], "public": row["public"],
        "createdAt": text(row["created_at"]), "updatedAt": text(row["updated_at"]),
    }
    return json.dumps(members, separators=(",", ":")).encode()


@app.get("/api/gardens/{garden}")
async def show(garden: UUID):
    if os.environ.get("CACHE") != "on":
        return Response(await load(garden), media_type="application/json")
    key = f"bench:fastapi:{garden}"
    body = await app.state.redis.get(key)
    if body is None:
        body = await load(garden)
        await app.state.redis.set(key, body, ex=60)
    return Response(body, media_type="application/json")


class Reading(BaseModel):
    sensorType: str
    value: float
    measuredAt: datetime


class Readings(BaseModel):
    readings: list[Reading]


@app.post("/api/devices/{device}/readings")
async def add(device: UUID, body: Readings):
    result = await app.state.database.execute(
        """INSERT INTO readings (device_id, sensor_type, measured_at, value)
        SELECT $1::uuid, * FROM unnest($2::text[], $3::timestamptz[], $4::float8[]) ON CONFLICT DO NOTHING""",
        device,
        [reading.sensorType for reading in body.readings],
        [reading.measuredAt for reading in body.readings],
        [reading.value for reading in body.readings],
    )
    accepted = int(result.split()[-1])
    return {"accepted": accepted, "duplicates": len(body.readings) - accepted, "rejected": []}
