// The current values of a garden: a card per device, kept up to date by events.

import { element, find, put } from "./element.js";
import { grouped } from "./groups.js";
import { called, patience, place } from "./probes.js";
import { rounds } from "./rounds.js";
import { get } from "./server.js";
import { age, day, sensorName, sensorOrder, short } from "./words.js";

const AGES = 15_000;
const LOOKS = 5, PAUSE = 1_000; // polls for a first value: an answer may be a second older than an event

export class Latest {
  #path; // of the garden
  #fields = new Map(); // "device sensor" → its current value on the page
  #asked = 0; // number of the last request
  #shown = 0; // number of the request that is shown

  constructor(path) {
    this.#path = path;
    setInterval(() => this.#showAges(), AGES);
  }

  /** Requests the values; returns what shows them, unless a later request is shown already. */
  async ask() {
    const asked = ++this.#asked;
    const { items } = await get(`${this.#path}/latest`);
    return () => {
      if (asked < this.#shown) return;
      this.#shown = asked;
      this.#show(items);
    };
  }

  load = rounds(async () => {
    try {
      const show = await this.ask();
      show();
    } catch { /* the next reading tries again */ }
  });

  /** Shows a reading from an event; if the page has no place for it, requests the values until the answer has it. */
  async take(reading, looks = LOOKS) {
    if (this.#showValue(reading) || looks === 0) return;
    await this.load();
    if (!this.#fields.has(key(reading))) setTimeout(() => this.take(reading, looks - 1), PAUSE);
  }

  #show(items) {
    const before = this.#fields;
    this.#fields = new Map();
    const byDevice = grouped(items, (item) => item.deviceId);
    const cards = [...byDevice].sort(([a], [b]) => place(a) - place(b)).map(([device, values]) => {
      const seen = element("p", { class: "quiet" });
      const list = element("dl");
      for (const item of values.sort((a, b) => sensorOrder(a.sensorType, b.sensorType))) {
        const [value, when] = [element("span"), element("span", { class: "when quiet" })];
        list.append(element("dt", {}, sensorName(item.sensorType)), element("dd", {}, value, when));
        this.#fields.set(key(item), { ...item, value: null, node: value, when, seen });
      }
      for (const item of values) this.#showValue(newer(item, before.get(key(item))));
      return element("li", { class: "card" }, element("h3", {}, called(device)), seen, list);
    });
    find("devices").replaceChildren(...cards);
    find("no-values").hidden = cards.length > 0;
    this.#showAges();
  }

  /** Puts a value on the page; false if the page has no place for it yet. */
  #showValue(reading) {
    const { value, measuredAt } = reading;
    const field = this.#fields.get(key(reading));
    if (!field) return false;
    const at = Date.parse(measuredAt);
    if (field.value != null && at < Date.parse(field.measuredAt)) return true; // late, not the newest
    const fresh = field.value != null;
    Object.assign(field, { value, measuredAt });
    field.node.replaceChildren(short(value), ...(field.unit ? [element("small", {}, ` ${field.unit}`)] : []));
    field.node.classList.remove("fresh");
    if (fresh) requestAnimationFrame(() => field.node.classList.add("fresh"));
    this.#showAges();
    return true;
  }

  /** Shows how old each device's newest value is, and each value that is older: an old one must not look current. */
  #showAges() {
    const newest = new Map();
    for (const { seen, measuredAt, deviceId } of this.#fields.values()) {
      const at = Date.parse(measuredAt);
      if (at > (newest.get(seen)?.at ?? 0)) newest.set(seen, { at, device: deviceId });
    }
    for (const [node, { at, device }] of newest) {
      const silent = Date.now() - at > patience(device);
      node.parentElement?.classList.toggle("silent", silent);
      put(node, silent ? `Silent since ${day(at)}` : `Measured ${age(at)}`);
    }
    for (const { seen, when, measuredAt } of this.#fields.values()) {
      const [at, known] = [Date.parse(measuredAt), newest.get(seen)?.at];
      put(when, age(at) === age(known) ? "" : age(at));
      when.title = day(at);
    }
  }
}

const key = ({ deviceId, sensorType }) => `${deviceId} ${sensorType}`;

/** A value of an answer, or a newer one that an event brought meanwhile. */
const newer = (item, known) => (Date.parse(known?.measuredAt) > Date.parse(item.measuredAt) ? known : item);
