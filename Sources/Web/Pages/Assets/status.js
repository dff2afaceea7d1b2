// The status page: every five seconds, asks /status/data for what it lacks.

import { Chart } from "./chart.js";
import { element, find, put } from "./element.js";
import { showUptime } from "./uptime.js";
import { moment, short } from "./words.js";

const INTERVAL = 5_000;
const WINDOW = 15 * 60_000;

const per = (unit) => (value) => (value == null ? "–" : `${short(value)}${unit}`);
const share = (value) => (value == null ? "–" : `${short(value * 100)} %`);
const duration = (value) => {
  if (value == null) return "–";
  return value >= 1000 ? `${short(value / 1000)} s` : `${short(value)} ms`;
};

const charts = [
  { title: "Requests", unit: "per second", lines: { Requests: "requestsPerSecond" } },
  { title: "Response time", format: duration, none: "No requests", lines: { P50: "p50Ms", P95: "p95Ms", P99: "p99Ms" } },
  { title: "Errors", format: share, none: "No requests", lines: { "5xx": "errorShare" } },
  { title: "Connections", lines: { Open: "openConnections", "Serving a request": "activeConnections" } },
  { title: "Sensor readings", unit: "per second", lines: { Readings: "readingsPerSecond" } },
  { title: "Store latency", format: duration, none: "No answers", lines: { Postgres: "databaseMs", Redis: "redisMs" } },
].map(({ lines, ...options }) => ({ lines: Object.entries(lines), chart: new Chart(options) }));
find("charts").append(...charts.map((one) => one.chart.figure));

let points = [];
let report = null;
let lastSuccess = null; // by this computer's clock
let failing = false;

async function figures(after) {
  const query = after ? `?after=${encodeURIComponent(after)}` : "";
  const response = await fetch(`/status/data${query}`, { cache: "no-store", signal: AbortSignal.timeout(INTERVAL - 500) });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.json();
}

async function ask() {
  try {
    let next = await figures(points.at(-1)?.at);
    // The figures of several servers do not mix, and of this one the earlier ones are missing.
    if (isOther(next)) {
      next = await figures();
      points = [];
    }
    take(next);
    lastSuccess = Date.now();
    failing = false;
  } catch {
    failing = true;
  }
  render();
}

/** Whether another one of several servers has answered, rather than one that was started in place of the last. */
function isOther(next) {
  if (!points.length || report.startedAt === next.startedAt) return false;
  return Date.parse(next.startedAt) < Date.parse(points.at(-1).at);
}

function take(next) {
  report = next;
  points.push(...next.points);
  const oldest = Date.parse(next.now) - WINDOW;
  points = points.filter((point) => Date.parse(point.at) >= oldest);
}

function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  return units.slice(first, first + 2)
    .map(([size, unit], index) => [Math.floor((index ? seconds % units[first][0] : seconds) / size), unit])
    .filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

const marks = { healthy: "✓", degraded: "!", unhealthy: "✕" };

function headline() {
  if (failing) return ["unhealthy", "The server cannot be reached"];
  const bad = report.checks.filter((check) => check.status !== "healthy").map((check) => check.name);
  if (report.status === "healthy") return ["healthy", "Everything is healthy"];
  const list = new Intl.ListFormat("en").format(bad);
  return [report.status, bad.length ? `${report.status === "degraded" ? "Degraded" : "Unhealthy"}: ${list}` : report.status];
}

function render() {
  if (report || failing) {
    const [status, words] = headline();
    find("hero").className = `hero ${status}`;
    find("hero").firstElementChild.textContent = marks[status];
    find("hero").querySelector("h1").textContent = words;
    document.title = `${words} · Terroir`;
    put(find("said"), words);
  }
  renderNotice();
  if (!report) return;
  const age = Date.now() - lastSuccess;
  const up = Date.parse(report.now) - Date.parse(report.startedAt);
  put(find("facts"), `Version ${report.version} · up ${ago(up)} · ${failing ? `last heard ${ago(age)} ago` : `updated ${moment(lastSuccess)}`}`);
  find("checks").replaceChildren(...report.checks.map(check));
  renderFigures();
}

function renderNotice() {
  const notice = find("notice");
  document.body.classList.toggle("stale", failing && report != null);
  notice.hidden = !failing;
  if (!failing) return;
  const words = lastSuccess
    ? `No answer since ${moment(lastSuccess)}. The figures below are from then. Trying again every five seconds.`
    : "No answer yet. Trying again every five seconds.";
  put(notice, words);
}

function check({ name, status, latencyMs }) {
  const latency = latencyMs == null ? "" : ` · ${duration(latencyMs)}`;
  return element("li", { class: `card check ${status}` },
    element("span", { class: "mark", "aria-hidden": "true" }, marks[status] ?? "?"),
    element("div", {}, element("p", {}, name), element("p", {}, `${status}${latency}`)));
}

function renderFigures() {
  const last = points.at(-1);
  if (last) {
    put(find("requests"), per(" /s")(last.requestsPerSecond));
    put(find("p50"), duration(last.p50Ms));
    put(find("p99"), duration(last.p99Ms));
    put(find("p95"), `P95 ${duration(last.p95Ms)}`);
    put(find("errors"), share(last.errorShare));
    put(find("open"), short(last.openConnections));
    put(find("active"), `${short(last.activeConnections)} serving a request`);
    put(find("readings"), per(" /s")(last.readingsPerSecond));
    put(find("database"), duration(last.databaseMs));
    put(find("database-pool"), `${short(last.databaseActive)} busy, ${short(last.databaseIdle)} idle`);
    put(find("redis"), duration(last.redisMs));
    put(find("redis-pool"), `${short(last.redisConnections)} connection${last.redisConnections === 1 ? "" : "s"}`);
  }
  const to = Date.parse(report.now);
  const times = points.map((point) => Date.parse(point.at));
  for (const { lines, chart } of charts) {
    chart.show({
      from: to - WINDOW, to, gap: 2.5 * INTERVAL, times,
      series: lines.map(([name, member]) => ({ name, values: points.map((point) => point[member]) })),
    });
  }
}

let timer;
let asking = false;
async function turn() {
  if (asking) return;
  clearTimeout(timer);
  asking = true;
  if (!document.hidden) await ask();
  asking = false;
  timer = setTimeout(turn, INTERVAL);
}

/** Uptime is recorded every minute, so it is not requested more often. A failed request may work next time. */
function past() {
  if (!document.hidden) showUptime();
  setTimeout(past, 60_000);
}

past();
document.addEventListener("visibilitychange", () => document.hidden || turn());
turn();
