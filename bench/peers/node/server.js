// Terroir's measured routes in Node: its own http server, pg and redis. Every request is counted and timed.
"use strict";

const http = require("node:http");
const { Pool } = require("pg");
const { createClient } = require("redis");

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 1, 2, 2.5, 3, 5, 7, 10];
const LIVE = Buffer.from('{"status":"ok"}');
const GARDENS = "/api/gardens/";
const DEVICES = "/api/devices/", READINGS = "/readings";

const database = new Pool({ connectionString: process.env.DATABASE_URL, min: 32, max: 32 });
const cache = createClient({ url: process.env.REDIS_URL });

/** A counter and a histogram per status of a route, as in prom-client, but without its look-up by labels. */
class Route {
  #series = new Map();

  constructor(handle) {
    this.handle = handle;
  }

  count(status, seconds) {
    let series = this.#series.get(status);
    if (!series) this.#series.set(status, series = { count: 0, sum: 0, buckets: new Float64Array(BUCKETS.length + 1) });
    series.count += 1;
    series.sum += seconds;
    let index = 0;
    while (index < BUCKETS.length && seconds > BUCKETS[index]) index += 1;
    series.buckets[index] += 1;
  }
}

function answer(response, body) {
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

async function load(id) {
  const { rows: [row] } = await database.query({
    name: "garden",
    text: `SELECT id, owner_id, name, latitude, longitude, area_square_metres, public, created_at, updated_at
      FROM gardens WHERE id = $1 AND public`,
    values: [id],
  });
  if (!row) throw new Error(`no garden ${id}`);
  return JSON.stringify({
    id: row.id, ownerId: row.owner_id, name: row.name,
    location: row.latitude == null ? null : { latitude: row.latitude, longitude: row.longitude },
    areaSquareMetres: row.area_square_metres, public: row.public,
    createdAt: row.created_at.toISOString(), updatedAt: row.updated_at.toISOString(),
  });
}

async function cached(id) {
  const key = `bench:node:${id}`;
  let body = await cache.get(key);
  if (body == null) {
    body = await load(id);
    await cache.set(key, body, { EX: 60 });
  }
  return body;
}

async function content(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function addReadings(request, response, device) {
  const { readings } = JSON.parse(await content(request));
  const { rowCount } = await database.query({
    name: "readings",
    text: `INSERT INTO readings (device_id, sensor_type, measured_at, value)
      SELECT $1::uuid, * FROM unnest($2::text[], $3::timestamptz[], $4::float8[]) ON CONFLICT DO NOTHING`,
    values: [
      device, readings.map(({ sensorType }) => sensorType), readings.map(({ measuredAt }) => measuredAt),
      readings.map(({ value }) => value),
    ],
  });
  answer(response, JSON.stringify({ accepted: rowCount, duplicates: readings.length - rowCount, rejected: [] }));
}

const version = { name: "terroir", version: "0.1.0", revision: "unknown", node: process.version };
const live = new Route((request, response) => answer(response, LIVE));
const versions = new Route((request, response) => answer(response, JSON.stringify(version)));
const gardens = new Route(async (request, response, id) =>
  answer(response, await (process.env.CACHE === "on" ? cached : load)(id)));
const readings = new Route(addReadings);
const unmatched = new Route((request, response) => response.writeHead(404).end());

/** The route of a request, and the id in its path. */
function find({ method, url }) {
  if (method === "GET" && url === "/livez") return [live];
  if (method === "GET" && url === "/version") return [versions];
  if (method === "GET" && url.startsWith(GARDENS)) return [gardens, url.slice(GARDENS.length)];
  if (method === "POST" && url.startsWith(DEVICES) && url.endsWith(READINGS)) {
    return [readings, url.slice(DEVICES.length, -READINGS.length)];
  }
  return [unmatched];
}

const server = http.createServer(async (request, response) => {
  const start = performance.now();
  const [route, id] = find(request);
  try {
    const going = route.handle(request, response, id);
    if (going) await going;
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
  route.count(response.statusCode, (performance.now() - start) / 1000);
});

cache.connect().then(() => server.listen({ host: "127.0.0.1", port: process.env.PORT, backlog: 4096 }));
