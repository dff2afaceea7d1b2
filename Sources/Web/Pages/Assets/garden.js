// A garden's page: loads its parts, and listens for events. Current values are in latest.js, charts in history.js, its
// owner's actions in keeping.js.

import { element, find, isTyped, part, put, renewPage, say, wayToSignIn } from "./element.js";
import { History } from "./history.js";
import { showInsights } from "./insights.js";
import { Latest } from "./latest.js";
import { knowNames } from "./probes.js";
import { rounds } from "./rounds.js";
import { all, get, optional } from "./server.js";
import { profile } from "./visitor.js";
import { moment, short } from "./words.js";

const REFRESH = 60_000; // charts and devices follow new readings this slowly: points are averages of minutes
const RETRY = 5_000;
const NOTED = 5_000; // the server records some seconds later that a device has reported

const id = location.pathname.split("/")[2];
const path = `/api/gardens/${id}`;
const STRANGER = "none";
// The role of the user that the server recognised; empty if it recognised none: a link from another site brings no cookie.
const { role } = find("garden").dataset;
const current = new Latest(path);
const history = new History(id);
let changed = false;
let unheard = new Set(); // the devices that have not reported yet
let lost = null; // since when nothing has been heard
let events = null; // while the page is visible
let due, relisten; // timers of retries

function describe({ areaSquareMetres, location, public: isPublic }) {
  const facts = [isPublic ? "A public garden" : "A private garden"];
  if (areaSquareMetres != null) facts.push(`${short(areaSquareMetres)} m²`);
  if (location) {
    const { latitude, longitude } = location;
    facts.push(`${Math.abs(latitude).toFixed(2)}° ${latitude < 0 ? "S" : "N"}, ${Math.abs(longitude).toFixed(2)}° ${longitude < 0 ? "W" : "E"}`);
  }
  put(find("facts"), facts.join(" · "));
}

// Everything

const load = rounds(() => loadAll().catch((error) => {
  say("Part of this page could not be shown. ", element("a", { href: "" }, "Load the page again"));
  reportError(error); // for the console
}));

async function loadAll() {
  clearTimeout(due);
  const me = profile();
  // Only growers may see these parts, so only they ask for them.
  const whenKnown = (ask) => me.then((who) => (who && role !== STRANGER ? optional(ask()) : null));
  const parts = [
    get(path), current.ask(), history.ask(), whenKnown(() => all(`${path}/devices`)), whenKnown(() => get(`${path}/insights?limit=5`)),
  ];
  const [garden, latest, past, devices, insights] = (await Promise.allSettled(parts)).map(({ value, reason }) => ({ value, reason }));
  if (isClosed(garden.reason)) return setTimeout(close, RETRY);
  // Each part shows what it has, whatever happens to the others.
  if (devices.value) {
    knowNames(devices.value);
    unheard = new Set(devices.value.filter(({ lastSeenAt }) => !lastSeenAt).map(({ id }) => id));
  }
  past.value?.();
  if (garden.value) describe(garden.value);
  latest.value?.();
  showInsights(find("insights"), insights.value?.items ?? []);
  find("advice").hidden = !insights.value?.items.length;
  const failed = [garden, latest, past, devices, insights].find((one) => one.reason);
  if (failed) {
    say(`Some of the garden's values could not be loaded. ${failed.reason.message} Trying again.`);
    due = setTimeout(load, RETRY);
  } else {
    if (!lost) say("");
    listen(); // again, if there was nothing to listen to meanwhile
  }
  if (garden.value && devices.value) await keep(garden.value, devices.value, await me);
}

/** Whether the garden is gone or no longer visible to this user. */
const isClosed = (reason) => [401, 403, 404].includes(reason?.status);

/** Makes way for the page that says so; not while something unsent is typed here, which waits for its user. */
function close() {
  if (isTyped()) say("You are no longer signed in, or this garden is gone. What you have typed is still here. ", wayToSignIn());
  else renewPage();
}

/** Actions on a garden are in a module of their own, loaded only for its members. */
async function keep(garden, devices, me) {
  const own = role || (garden.ownerId === me.id ? "owner" : (await optional(all(`${path}/members`)))?.find(({ userId }) => userId === me.id)?.role);
  if (!own) return;
  document.querySelector("nav [aria-current]")?.removeAttribute("aria-current");
  document.querySelector("nav a").setAttribute("aria-current", "page"); // it is one of "My gardens"
  const { showKeeping } = await part(import("./keeping.js"));
  await showKeeping?.(garden, devices, own, load);
}

// Live

/**
 * Listens while the page is visible. Browsers open few connections to a server, with HTTP/1.1 six for all tabs
 * together: if each page kept one, a few gardens in tabs would leave none for requests.
 */
function listen() {
  if (document.hidden) return rest();
  if (events) return;
  const source = events = new EventSource(`${path}/events`);
  source.addEventListener("open", () => {
    put(find("live"), "Live");
    if (!lost) return current.load(); // what came between the first answer and now
    lost = null;
    load(); // what happened meanwhile
  });
  source.addEventListener("reading", (event) => {
    changed = true;
    const reading = JSON.parse(event.data);
    current.take(reading);
    if (unheard.delete(reading.deviceId)) setTimeout(load, NOTED);
  });
  source.addEventListener("insight", () => load());
  source.addEventListener("gap", () => { // events were missed: more happened than are kept, or some could not be sent
    put(find("live"), "Live");
    lost = null;
    load();
  });
  source.addEventListener("stalled", sayLost);
  source.addEventListener("error", () => {
    sayLost();
    // The browser reconnects by itself, unless the server refused.
    if (source.readyState !== EventSource.CLOSED || source !== events) return;
    events = null;
    clearTimeout(relisten);
    relisten = setTimeout(again, RETRY);
  });
}

function sayLost() {
  lost ??= Date.now();
  put(find("live"), `Not live since ${moment(lost)}`);
  say(`No live values since ${moment(lost)}. Trying again.`);
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
  if (isClosed(reason)) close();
  else listen();
}

setInterval(() => {
  if (document.hidden) return;
  if (lost) current.load(); // no event brings them
  if (!changed) return;
  changed = false;
  load();
}, REFRESH);

find("table").addEventListener("toggle", async () => {
  const { offerTable } = await part(import("./csv.js"));
  offerTable?.(id);
}, { once: true });

document.addEventListener("visibilitychange", listen);
load().then(listen);
