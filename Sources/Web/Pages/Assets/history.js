// The charts of a garden over any span of time.

import { Chart, swatch } from "./chart.js";
import { arrange, begin, element, find, say, tell } from "./element.js";
import { grouped } from "./groups.js";
import { called, known, knowOrder, moisture, place } from "./probes.js";
import { get } from "./server.js";
import { midnight, moment, sensorName, sensorOrder, short } from "./words.js";

const HOUR = 3_600_000, DAY = 24 * HOUR;
const SPANS = { day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY };
const SHORTEST = HOUR, LONGEST = 3_650 * DAY;
const SUMS = new Set(["rain"]); // added up; of all others the average is shown
const FROST = { from: -Infinity, to: 0, name: "frost", kind: "cold" };
const GROUND_FROST = { from: FROST.to, to: 3, name: "ground frost", kind: "chill" };

export class History {
  #garden;
  #range = "day"; // or null when a span was chosen
  #span = null; // {from, to}
  #charts = new Map(); // sensor type and title → chart
  #alone = null; // the only device shown, or null for all
  #asked = 0;

  constructor(garden) {
    this.#garden = garden;
    for (const choice of document.querySelectorAll("input[name=range]")) {
      choice.checked = choice.value === this.#range; // browsers restore the choice of an earlier visit
      choice.addEventListener("change", () => this.#choose(choice.value));
    }
    for (const node of document.querySelectorAll("[data-move]")) {
      node.addEventListener("click", () => this.#move(node.dataset.move));
    }
    find("span").addEventListener("submit", (event) => {
      event.preventDefault();
      const [from, end] = [midnight(find("from").value), midnight(find("to").value, 1)]; // a day may have 23 or 25 hours
      if (!(from < end)) return say("Choose a first day, and a last day that is not before it.");
      if (end - from > LONGEST) tell("At most ten years are shown: the last ten of these.");
      this.#look(Math.max(from, end - LONGEST), end.getTime());
    });
  }

  /** Requests the span; returns what shows it, unless another one was requested meanwhile. */
  async ask() {
    const asked = ++this.#asked;
    const query = this.#range ? `range=${this.#range}`
      : `from=${new Date(this.#span.from).toISOString()}&to=${new Date(this.#span.to).toISOString()}`;
    const data = await get(`/gardens/${this.#garden}/data?${query}`);
    return () => {
      if (asked !== this.#asked) return;
      knowOrder(data);
      this.#show(data);
    };
  }

  async refresh() {
    try {
      const show = await this.ask();
      show();
      say("");
    } catch (error) {
      say(`The history could not be loaded. ${error.message}`);
    }
  }

  #show(data) {
    const [from, to, step] = [Date.parse(data.from), Date.parse(data.to), data.stepSeconds * 1000];
    this.#span = { from, to };
    const bar = step < HOUR ? HOUR : Math.max(step, DAY);
    const byType = grouped(data.series, (series) => series.sensorType);
    const kept = new Map();
    for (const [type, all] of [...byType].sort(([a], [b]) => sensorOrder(a, b))) {
      const isSum = SUMS.has(type);
      const key = isSum ? `${type} ${bar}` : type;
      const chart = this.#charts.get(key) ?? new Chart(this.#options(type, all[0].unit ?? "", isSum && bar));
      kept.set(key, chart);
      chart.show(isSum ? sums(all, from, to, step, bar)
        : { from, to, gap: Math.max(2.5 * step, HOUR), ...columns(all, from, step) });
      chart.isolate(this.#alone && called(this.#alone));
    }
    this.#charts = kept;
    arrange(find("charts"), ...[...kept.values()].map((chart) => chart.figure));
    find("no-history").hidden = kept.size > 0;
    find("hint").hidden = kept.size === 0;
    this.#showProbes(new Set(data.series.map((series) => series.deviceId)));
    find("shown").textContent = `${moment(from, to - from + HOUR)} to ${moment(Math.min(to, Date.now()), to - from + HOUR)}`;
  }

  #options(type, unit, bar) {
    const choose = (from, to) => this.#look(from, to);
    if (!bar) return { title: sensorName(type), unit, zero: false, legend: false, choose };
    const title = `${sensorName(type)} by the ${bar === HOUR ? "hour" : bar === DAY ? "day" : "week"}`;
    return { title, format: (value) => `${short(value)} ${unit}`.trim(), bars: true, legend: false, choose };
  }

  /** A button per probe, in its colour, that shows it alone. */
  #showProbes(present) {
    const probes = known().filter((id) => present.has(id));
    const focused = document.activeElement?.dataset.probe;
    find("probes").replaceChildren(...(probes.length < 2 ? [] : probes.map((id) => {
      const node = element("button", { type: "button", "aria-pressed": this.#alone === id ? "true" : "false", "data-probe": id },
        swatch({ colour: place(id) }), called(id));
      node.addEventListener("click", () => {
        this.#alone = this.#alone === id ? null : id;
        for (const chart of this.#charts.values()) chart.isolate(this.#alone && called(this.#alone));
        this.#showProbes(present);
      });
      return node;
    })));
    find("probes").querySelector(`[data-probe="${focused}"]`)?.focus();
  }

  #choose(range) {
    begin();
    this.#range = range;
    this.refresh();
  }

  #move(direction) {
    if (!this.#span) return; // nothing is shown yet
    const { from, to } = this.#span;
    const size = to - from;
    const [later, wider] = { earlier: [-0.5, 1], later: [0.5, 1], closer: [0.25, 0.5], wider: [-0.5, 2] }[direction];
    this.#look(from + later * size, from + later * size + wider * size);
  }

  /** Shows another span, which ends now at the latest. */
  #look(from, to) {
    begin();
    const size = Math.min(LONGEST, Math.max(SHORTEST, to - from));
    const end = Math.min((from + to) / 2 + size / 2, Date.now());
    this.#range = null;
    this.#span = { from: end - size, to: end };
    for (const choice of document.querySelectorAll("input[name=range]")) choice.checked = SPANS[choice.value] === size;
    this.refresh();
  }
}

/** The meaning of a device's values: of soil moisture, by the limits that the server's rules use. */
function bands(type, device) {
  if (type === "soil_temperature") return [FROST];
  if (type === "air_temperature") return [FROST, GROUND_FROST];
  const limits = type === "soil_moisture" && moisture(device);
  if (!limits) return [];
  return [
    { from: -Infinity, to: limits.dry, name: "dry", kind: "dry" },
    { from: limits.wet, to: Infinity, name: "wet", kind: "wet" },
  ];
}

/** The sum of each hour, day or week in local time. A step counts where its middle lies: its days are in UTC. */
function sums(all, from, to, step, bar) {
  const begin = (at) => {
    const moment = new Date(at);
    return bar === HOUR ? moment.setMinutes(0, 0, 0) : moment.setHours(0, 0, 0, 0);
  };
  const startOf = (index) => (bar > DAY ? from + index * step : begin(from + (index + 0.5) * step));
  const starts = [...new Set(all.flatMap(({ bucket }) => bucket.map(startOf)))].sort((a, b) => a - b);
  const series = all.map(({ deviceId, bucket, sum }) => {
    const values = new Array(starts.length).fill(null);
    bucket.forEach((index, at) => {
      const row = starts.indexOf(startOf(index));
      values[row] = (values[row] ?? 0) + sum[at];
    });
    return { colour: place(deviceId), name: called(deviceId), values };
  });
  // The range may cut the first and the last bar off: extend it to whole bars.
  return {
    from: Math.min(from, starts[0]), to: Math.max(to, starts.at(-1) + bar), gap: bar, times: starts.map((start) => start + bar / 2),
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
    bands: bands(series.sensorType, series.deviceId),
    // Overlapping shades of several devices could not be told apart.
    ...(all.length === 1 ? { low: spread(series, "min"), high: spread(series, "max") } : {}),
  }));
  return { times: buckets.map((bucket) => from + (bucket + 0.5) * step), series: named.sort((a, b) => a.colour - b.colour) };
}
