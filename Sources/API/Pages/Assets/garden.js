// A public garden: current values, kept fresh by server-sent events, and charts by day, week and month.

import { Chart, element, moment, short } from "./chart.js";

const REFRESH = 60_000; // charts follow new readings this slowly: their points are averages of minutes
const RETRY = 5_000;
const ONLINE = 15 * 60_000;

const garden = location.pathname.split("/")[2];
const find = (id) => document.getElementById(id);
const fields = new Map(); // "device sensor" → its current value on the page
let devices = []; // ids, in the order of their making
let charts = new Map(); // sensor type → chart
let range = "day";
let changed = false;
let lost = null;

const title = (sensorType) => {
  const words = sensorType.replaceAll("_", " ");
  return words === "ph" ? "pH" : words === "ec" ? "Conductivity" : words[0].toUpperCase() + words.slice(1);
};

/** The place of a device among those in the history, after all of them for any other. */
const place = (device) => devices.includes(device) ? devices.indexOf(device) : devices.length;

/** Names of devices are their owner's alone: here they are numbered. */
const called = (device) => devices.includes(device) ? `Sensor ${place(device) + 1}` : "A sensor";

async function get(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.json();
}

function say(words) {
  const notice = find("notice");
  notice.hidden = !words;
  if (words && notice.textContent !== words) notice.textContent = words;
}

function describe({ areaSquareMetres, location }) {
  const facts = ["A public garden"];
  if (areaSquareMetres != null) facts.push(`${short(areaSquareMetres)} m²`);
  if (location) {
    const { latitude, longitude } = location;
    facts.push(`${Math.abs(latitude).toFixed(2)}° ${latitude < 0 ? "S" : "N"}, ${Math.abs(longitude).toFixed(2)}° ${longitude < 0 ? "W" : "E"}`);
  }
  find("facts").textContent = facts.join(" · ");
}

// Current values

const getLatest = () => get(`/api/gardens/${garden}/latest`);

function showLatest({ items }) {
  fields.clear();
  const byDevice = Map.groupBy(items, (item) => item.deviceId);
  const cards = [...byDevice].sort(([a], [b]) => place(a) - place(b)).map(([id, values]) => {
    const seen = element("p", { class: "quiet" });
    const list = element("dl", {});
    for (const item of values) {
      const value = element("dd", {});
      list.append(element("dt", {}, title(item.sensorType)), value);
      fields.set(`${id} ${item.sensorType}`, { ...item, value: null, node: value, seen });
    }
    for (const item of values) showValue(item);
    return element("li", { class: "card" }, element("h3", {}, called(id)), seen, list);
  });
  find("devices").replaceChildren(...cards);
  find("no-values").hidden = cards.length > 0;
}

/** Puts a value on the page; false when the page has no place for it yet. */
function showValue({ deviceId, sensorType, value, measuredAt }) {
  const field = fields.get(`${deviceId} ${sensorType}`);
  if (!field) return false;
  const at = Date.parse(measuredAt);
  if (field.value != null && at < Date.parse(field.measuredAt)) return true; // a late one: not the newest
  const fresh = field.value != null;
  Object.assign(field, { value, measuredAt });
  field.node.replaceChildren(short(value), ...(field.unit ? [element("small", {}, ` ${field.unit}`)] : []));
  field.node.classList.remove("fresh");
  if (fresh) requestAnimationFrame(() => field.node.classList.add("fresh"));
  showSeen();
  return true;
}

/** Says of each device when it last measured: what is old must not look current. */
function showSeen() {
  const newest = new Map();
  for (const { seen, measuredAt } of fields.values()) {
    newest.set(seen, Math.max(newest.get(seen) ?? 0, Date.parse(measuredAt)));
  }
  for (const [node, at] of newest) {
    const silent = Date.now() - at > ONLINE;
    const words = `${silent ? "Silent since" : "Measured"} ${moment(at, silent ? Infinity : 0)}`;
    if (node.textContent !== words) node.textContent = words;
  }
}

// History

const getHistory = () => get(`/gardens/${garden}/data?range=${range}`);

function showHistory(data) {
  if (data.range !== range) return; // another one was chosen meanwhile
  devices = data.devices;
  const [from, to, step] = [Date.parse(data.from), Date.parse(data.to), data.stepSeconds * 1000];
  const byType = Map.groupBy(data.series, (series) => series.sensorType);
  const kept = new Map();
  for (const [type, all] of [...byType].sort()) {
    const chart = charts.get(type) ?? new Chart({ title: title(type), unit: all[0].unit ?? "", zero: false });
    kept.set(type, chart);
    chart.show({ from, to, gap: Math.max(2.5 * step, 3_600_000), ...columns(all, from, step) });
  }
  charts = kept;
  find("charts").replaceChildren(...[...kept.values()].map((chart) => chart.figure));
  find("no-history").hidden = kept.size > 0;
  find("hint").hidden = kept.size === 0;
}

/** One row of times for all devices of a chart; a device without a value there has null, and one colour everywhere. */
function columns(all, from, step) {
  const buckets = [...new Set(all.flatMap((series) => series.bucket))].sort((a, b) => a - b);
  const rows = new Map(buckets.map((bucket, index) => [bucket, index]));
  const spread = (series, member) => {
    const values = new Array(buckets.length).fill(null);
    series.bucket.forEach((bucket, index) => { values[rows.get(bucket)] = series[member][index]; });
    return values;
  };
  const named = all.map((series) => ({
    colour: place(series.deviceId),
    name: called(series.deviceId),
    values: spread(series, "mean"),
    // Shades of several devices over each other could not be told apart.
    ...(all.length === 1 ? { low: spread(series, "min"), high: spread(series, "max") } : {}),
  }));
  return { times: buckets.map((bucket) => from + (bucket + 0.5) * step), series: named.sort((a, b) => a.colour - b.colour) };
}

/** Each shows what it has, whatever becomes of the other. */
async function load() {
  const [latest, history] = await Promise.allSettled([getLatest(), getHistory()]);
  if (history.value) devices = history.value.devices;
  if (latest.value) showLatest(latest.value);
  if (history.value) showHistory(history.value);
  const failed = [latest, history].find((one) => one.status === "rejected");
  if (failed) {
    say(`Some of the garden's values could not be loaded. ${failed.reason.message} Trying again.`);
    setTimeout(load, RETRY);
  } else if (!lost) {
    say("");
  }
}

// Live

function listen() {
  const events = new EventSource(`/api/gardens/${garden}/events`);
  events.addEventListener("open", () => {
    if (!lost) return;
    lost = null;
    load(); // what happened meanwhile
  });
  events.addEventListener("reading", (event) => {
    changed = true;
    if (!showValue(JSON.parse(event.data))) loadLatest();
  });
  events.addEventListener("error", () => {
    lost ??= Date.now();
    say(`No live values since ${moment(lost)}. Trying again.`);
    // The browser reconnects by itself, unless the server refused.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, RETRY);
  });
}

let loadingLatest = false;
async function loadLatest() {
  if (loadingLatest) return;
  loadingLatest = true;
  try {
    showLatest(await getLatest());
  } catch { /* the next reading tries again */ }
  loadingLatest = false;
}

async function loadHistory() {
  changed = false;
  try {
    showHistory(await getHistory());
  } catch (error) {
    changed = true;
    say(`The history could not be loaded. ${error.message} Trying again.`);
  }
}

setInterval(() => {
  showSeen();
  if (changed && !document.hidden) loadHistory();
}, REFRESH);

for (const choice of document.querySelectorAll("input[name=range]")) {
  choice.checked = choice.value === range; // browsers restore the choice of an earlier visit
  choice.addEventListener("change", () => {
    range = choice.value;
    loadHistory();
  });
}

get(`/api/gardens/${garden}`).then(describe, () => {});
load().then(listen);
