// A garden: its newest values, kept fresh by server-sent events. Charts are history.js, what its owner does keeping.js.

import { element, find, put, renewPage, say } from "./element.js";
import { History } from "./history.js";
import { showInsights } from "./insights.js";
import { called, knowNames, patience, place } from "./probes.js";
import { all, get, optional } from "./server.js";
import { profile } from "./visitor.js";
import { age, day, moment, sensorName, sensorOrder, short } from "./words.js";

const REFRESH = 60_000; // charts follow new readings this slowly: their points are averages of minutes
const RETRY = 5_000;
const AGES = 15_000;
const LOOKS = 5, PAUSE = 1_000; // for a first value: an answer may be a second older than what was told live

const id = location.pathname.split("/")[2];
const path = `/api/gardens/${id}`;
const STRANGER = "none";
// What the server took who looks at it for; nothing where it could not know, since a link from elsewhere brings no cookie.
const { role } = find("garden").dataset;
const fields = new Map(); // "device sensor" → its current value on the page
const history = new History(id);
let changed = false;
let lost = null; // since when nothing was heard
let events = null; // while the page is seen
let due, relisten; // when what failed is tried again

function describe({ areaSquareMetres, location, public: isPublic }) {
  const facts = [isPublic ? "A public garden" : "A private garden"];
  if (areaSquareMetres != null) facts.push(`${short(areaSquareMetres)} m²`);
  if (location) {
    const { latitude, longitude } = location;
    facts.push(`${Math.abs(latitude).toFixed(2)}° ${latitude < 0 ? "S" : "N"}, ${Math.abs(longitude).toFixed(2)}° ${longitude < 0 ? "W" : "E"}`);
  }
  put(find("facts"), facts.join(" · "));
}

// Current values

let asked = 0, shown = 0; // how often so far, and which of these is shown

/** Asks for them; gives what shows them, unless what was asked for later is shown. */
async function askLatest() {
  const turn = ++asked;
  const { items } = await get(`${path}/latest`);
  return () => {
    if (turn < shown) return;
    shown = turn;
    showLatest(items);
  };
}

function showLatest(items) {
  const before = new Map(fields);
  fields.clear();
  const byDevice = Map.groupBy(items, (item) => item.deviceId);
  const cards = [...byDevice].sort(([a], [b]) => place(a) - place(b)).map(([device, values]) => {
    const seen = element("p", { class: "quiet" });
    const list = element("dl");
    for (const item of values.sort((a, b) => sensorOrder(a.sensorType, b.sensorType))) {
      const [value, when] = [element("span"), element("span", { class: "when quiet" })];
      list.append(element("dt", {}, sensorName(item.sensorType)), element("dd", {}, value, when));
      fields.set(`${device} ${item.sensorType}`, { ...item, value: null, node: value, when, seen });
    }
    for (const item of values) showValue(newer(item, before.get(`${device} ${item.sensorType}`)));
    return element("li", { class: "card" }, element("h3", {}, called(device)), seen, list);
  });
  find("devices").replaceChildren(...cards);
  find("no-values").hidden = cards.length > 0;
  showAges();
}

/** An answer's value, or what has come live since it was asked for. */
const newer = (item, known) => (Date.parse(known?.measuredAt) > Date.parse(item.measuredAt) ? known : item);

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
  showAges();
  return true;
}

/** Says of each value and device how old it is: what is old must not look current. */
function showAges() {
  const newest = new Map();
  for (const { seen, when, measuredAt, deviceId } of fields.values()) {
    const at = Date.parse(measuredAt);
    put(when, age(at));
    when.title = day(at);
    if (at > (newest.get(seen)?.at ?? 0)) newest.set(seen, { at, device: deviceId });
  }
  for (const [node, { at, device }] of newest) {
    const silent = Date.now() - at > patience(device);
    node.parentElement?.classList.toggle("silent", silent);
    put(node, silent ? `Silent since ${day(at)}` : `Measured ${age(at)}`);
  }
}

/** Goes through `act` one round at a time: who calls meanwhile, be it often, has one more round follow. */
function rounds(act) {
  let going = null, wanted = false;
  return function round() {
    wanted = going != null;
    return going ??= act().finally(() => {
      going = null;
      if (wanted) round();
    });
  };
}

const loadLatest = rounds(async () => {
  try {
    (await askLatest())();
  } catch { /* the next reading tries again */ }
});

/** Shows what has come live; what the page has no place for is asked for, until the answer has it. */
async function take(reading, looks = LOOKS) {
  if (showValue(reading) || looks === 0) return;
  await loadLatest();
  if (!fields.has(`${reading.deviceId} ${reading.sensorType}`)) setTimeout(() => take(reading, looks - 1), PAUSE);
}

// Everything

const load = rounds(loadAll);

async function loadAll() {
  clearTimeout(due);
  const me = profile();
  // What is only its growers' is asked for by those who may be one.
  const whenKnown = (ask) => me.then((who) => (who && role !== STRANGER ? optional(ask()) : null));
  const parts = [
    get(path), askLatest(), history.ask(), whenKnown(() => all(`${path}/devices`)), whenKnown(() => get(`${path}/insights?limit=5`)),
  ];
  const [garden, latest, past, devices, insights] = (await Promise.allSettled(parts)).map(({ value, reason }) => ({ value, reason }));
  if (isClosed(garden.reason)) return setTimeout(renewPage, RETRY);
  // Each shows what it has, whatever becomes of the others.
  if (devices.value) knowNames(devices.value);
  past.value?.();
  if (garden.value) describe(garden.value);
  latest.value?.();
  showInsights(find("insights"), insights.value?.items ?? []);
  find("advice").hidden = !insights.value?.items.length;
  if (garden.value && devices.value) keep(garden.value, devices.value, await me);
  const failed = [garden, latest, past, devices, insights].find((one) => one.reason);
  if (failed) {
    say(`Some of the garden's values could not be loaded. ${failed.reason.message} Trying again.`);
    due = setTimeout(load, RETRY);
  } else if (!lost) {
    say("");
  }
}

/** Whether the garden is gone, or not for who looks any more: its page says so, with the way to sign in. */
const isClosed = (reason) => [401, 403, 404].includes(reason?.status);

/** What is done for a garden comes with its own module, for those alone who are of it. */
async function keep(garden, devices, me) {
  const own = role || (garden.ownerId === me.id ? "owner" : (await optional(all(`${path}/members`)))?.find(({ userId }) => userId === me.id)?.role);
  if (!own) return;
  const { showKeeping } = await import("./keeping.js");
  showKeeping(garden, devices, own, load);
  document.querySelector("nav [aria-current]")?.removeAttribute("aria-current");
  document.querySelector("nav a").setAttribute("aria-current", "page"); // it is one of "My gardens"
}

// Live

/**
 * Listens as long as somebody looks. Browsers open few connections to a server, by HTTP/1.1 six for all tabs together: where
 * each page kept one, some gardens in tabs would leave none to ask anything by.
 */
function listen() {
  if (document.hidden) return rest();
  if (events) return;
  const source = events = new EventSource(`${path}/events`);
  source.addEventListener("open", () => {
    put(find("live"), "Live");
    if (!lost) return loadLatest(); // what came between the answer of the first time and here
    lost = null;
    load(); // what happened meanwhile
  });
  source.addEventListener("reading", (event) => {
    changed = true;
    take(JSON.parse(event.data));
  });
  source.addEventListener("insight", () => load());
  source.addEventListener("gap", () => load()); // more happened than is kept for who was away
  source.addEventListener("error", () => {
    lost ??= Date.now();
    put(find("live"), `Not live since ${moment(lost)}`);
    say(`No live values since ${moment(lost)}. Trying again.`);
    // The browser reconnects by itself, unless the server refused.
    if (source.readyState !== EventSource.CLOSED || source !== events) return;
    events = null;
    clearTimeout(relisten);
    relisten = setTimeout(again, RETRY);
  });
}

function rest() {
  lost ??= Date.now();
  events?.close();
  events = null;
  put(find("live"), "");
}

/** Listens again, unless there is nothing to listen to any more. */
async function again() {
  const { reason } = await get(path).then(() => ({}), (reason) => ({ reason }));
  if (isClosed(reason)) renewPage();
  else listen();
}

setInterval(showAges, AGES);
setInterval(() => {
  if (!changed || document.hidden) return;
  changed = false;
  history.refresh();
}, REFRESH);

find("table").addEventListener("toggle", async () => {
  const { offerTable } = await import("./csv.js");
  offerTable(id);
}, { once: true });

document.addEventListener("visibilitychange", listen);
load().then(listen);
