// A public garden: current values, kept fresh by server-sent events, and charts by day, week and month.

import { Chart, element, moment, short } from "./chart.js";

const REFRESH = 60_000; // charts follow new readings this slowly: their points are averages of minutes
const RETRY = 5_000;
const TOGETHER = 15 * 60_000; // values of one sensor that are further apart say each its time
const SUMS = new Set(["rain"]); // what is added up; of all else the average is shown

const garden = location.pathname.split("/")[2];
const find = (id) => document.getElementById(id);
const fields = new Map(); // "device sensor" → its current value on the page
let devices = []; // ids, in the order of their making
let silence = []; // after how many milliseconds without a value each of them is silent
let charts = new Map(); // sensor type → chart
let range = "day";
let changed = false;
let lost = null;

const SUM_TITLES = { day: "by the hour", week: "by the day", month: "by the day" };

const title = (sensorType) => {
  const words = sensorType.replaceAll("_", " ");
  return words === "ph" ? "pH" : words === "ec" ? "Conductivity" : words[0].toUpperCase() + words.slice(1);
};

/** The place of a device among those in the history, after all of them for any other. */
const place = (device) => devices.includes(device) ? devices.indexOf(device) : devices.length;

/** After how many milliseconds without a value a device is silent. */
const patience = (device) => silence[place(device)] ?? TOGETHER;

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
      const [value, when] = [element("span", {}), element("span", { class: "when quiet", hidden: true })];
      list.append(element("dt", {}, title(item.sensorType)), element("dd", {}, value, when));
      fields.set(`${id} ${item.sensorType}`, { ...item, value: null, node: value, when, seen });
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
  for (const { seen, measuredAt, deviceId } of fields.values()) {
    const at = Math.max(newest.get(seen)?.at ?? 0, Date.parse(measuredAt));
    newest.set(seen, { at, silent: Date.now() - at > patience(deviceId) });
  }
  for (const [node, { at, silent }] of newest) {
    put(node, `${silent ? "Silent since" : "Measured"} ${moment(at, isToday(at) ? 0 : Infinity)}`);
  }
  for (const { when, seen, measuredAt } of fields.values()) {
    const at = Date.parse(measuredAt);
    when.hidden = newest.get(seen).at - at <= TOGETHER;
    put(when, when.hidden ? "" : moment(at, isToday(at) ? 0 : Infinity));
  }
}

const isToday = (at) => new Date(at).toDateString() === new Date().toDateString();

function put(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

// History

const getHistory = () => get(`/gardens/${garden}/data?range=${range}`);

function showHistory(data) {
  if (data.range !== range) return; // another one was chosen meanwhile
  knowDevices(data);
  showSeen();
  const [from, to, step] = [Date.parse(data.from), Date.parse(data.to), data.stepSeconds * 1000];
  const byType = Map.groupBy(data.series, (series) => series.sensorType);
  const kept = new Map();
  for (const [type, all] of [...byType].sort()) {
    const key = SUMS.has(type) ? `${type} ${SUM_TITLES[range]}` : type;
    const chart = charts.get(key) ?? new Chart(options(type, all[0].unit ?? ""));
    kept.set(key, chart);
    chart.show(SUMS.has(type) ? sums(all, from, to, step)
      : { from, to, gap: Math.max(2.5 * step, 3_600_000), ...columns(all, from, step) });
  }
  charts = kept;
  find("charts").replaceChildren(...[...kept.values()].map((chart) => chart.figure));
  find("no-history").hidden = kept.size > 0;
  find("hint").hidden = kept.size === 0;
}

function knowDevices(data) {
  devices = data.devices;
  silence = data.silentAfterSeconds.map((seconds) => seconds * 1000);
}

function options(type, unit) {
  if (!SUMS.has(type)) return { title: title(type), unit, zero: false };
  return { title: `${title(type)} ${SUM_TITLES[range]}`, format: (value) => `${short(value)} ${unit}`.trim(), bars: true };
}

/** The sum of each hour or day, by the clock of whoever looks. */
function sums(all, from, to, step) {
  const begin = (at) => {
    const moment = new Date(at);
    if (range === "day") return moment.setMinutes(0, 0, 0);
    return moment.setHours(0, 0, 0, 0);
  };
  const starts = [...new Set(all.flatMap(({ bucket }) => bucket.map((index) => begin(from + index * step))))].sort((a, b) => a - b);
  const gap = range === "day" ? 3_600_000 : 86_400_000;
  const series = all.map(({ deviceId, bucket, sum }) => {
    const values = new Array(starts.length).fill(null);
    bucket.forEach((index, at) => {
      const row = starts.indexOf(begin(from + index * step));
      values[row] = (values[row] ?? 0) + sum[at];
    });
    return { colour: place(deviceId), name: called(deviceId), values };
  });
  // The first and the last may be cut: whole bars have room.
  return {
    from: begin(from), to: begin(to - 1) + gap, gap, times: starts.map((start) => start + gap / 2),
    series: series.sort((a, b) => a.colour - b.colour),
  };
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
  if (history.value) knowDevices(history.value);
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
