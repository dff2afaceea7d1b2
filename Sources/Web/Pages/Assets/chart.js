// A line chart in SVG that a pointer, the arrow keys and a screen reader can read.

import { element, shape } from "./element.js";
import { clock, compact, date, moment, monthOfYear, short, yearAlone } from "./words.js";

const HEIGHT = 160;
const MARGIN = { top: 10, right: 6, bottom: 22 };
const SHORTEST_DRAG = 8; // pixels
const MOST_READ = 12; // lines beside the cursor: more would cover the page
const ruler = document.createElement("canvas").getContext("2d");
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const TIME_STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY];
const MONTH = 30 * DAY, MONTHS = [1, 2, 3, 6, 12, 24, 60];
const LABEL = 64, LABEL_OF_MONTH = 72; // pixels that they need

/** Steps of 1, 2 or 5 times a power of ten that cut a range into at most four. */
function valueTicks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const ticks = [];
  for (let tick = Math.floor(low / step); tick <= Math.ceil(high / step); tick++) ticks.push(tick * step);
  return ticks;
}

/** Round local times between two moments, as many as the width has room for. */
function timeTicks(from, to, width) {
  const fits = (step, label = LABEL) => ((to - from) / step) * label <= width;
  const step = TIME_STEPS.find((step) => fits(step));
  if (!step) return monthTicks(from, to, MONTHS.find((count) => fits(count * MONTH, count < 12 ? LABEL_OF_MONTH : LABEL)) ?? MONTHS.at(-1));
  const first = new Date(from);
  first.setHours(0, 0, 0, 0);
  // By the clock, which leaves out an hour or has one twice on some days.
  const tick = (count) => (step > HOUR ? new Date(first).setMinutes((count * step) / MINUTE) : first.getTime() + count * step);
  const ticks = [];
  for (let count = 0; tick(count) <= to; count++) if (tick(count) >= from) ticks.push(tick(count));
  return { ticks, format: step >= DAY ? date : clock };
}

/** The first days of months, or of years that are multiples of `count`: each label has its year. */
function monthTicks(from, to, count) {
  const years = Math.max(1, count / 12);
  const year = Math.floor(new Date(from).getFullYear() / years) * years;
  const ticks = [];
  for (let month = 0, tick; (tick = new Date(year, month).getTime()) <= to; month += count) if (tick >= from) ticks.push(tick);
  return { ticks, format: count < 12 ? monthOfYear : yearAlone };
}

export class Chart {
  #plot = element("div", { class: "plot", role: "slider", tabindex: 0, "aria-valuemin": 0 });
  #readout = element("div", { class: "readout", "aria-hidden": "true", hidden: true });
  #legend = element("ul", { class: "legend" });
  #options;
  #data = { from: 0, to: 1, gap: Infinity, times: [], series: [] };
  #cursor = null; // the time read out, or null for the newest
  #height = 0; // where the pointer is, in pixels from the top of the plot
  #drag = null; // the ends of the span being chosen
  #alone = null; // the name of the only series shown, or null
  #x = () => 0;
  #y = () => 0;
  #left = 0; // where the plot begins: right of the longest label

  /**
   * `options`: title, unit, format(value), zero (whether the scale starts at 0), bars (instead of lines), none (text of
   * an empty chart), legend (whether it has one), choose(from, to) (called with a span that the user drew).
   */
  constructor(options) {
    this.#options = { format: short, unit: "", zero: true, none: "Nothing yet", legend: true, ...options };
    const title = this.#options.unit ? `${options.title}, ${this.#options.unit}` : options.title;
    this.#plot.setAttribute("aria-label", title);
    this.figure = element("figure", { class: "chart" },
      element("figcaption", {}, element("h3", {}, title), this.#legend), this.#plot, this.#readout);
    this.#plot.addEventListener("pointermove", (event) => this.#point(event));
    this.#plot.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0 && this.#options.choose) this.#begin(event);
      this.#point(event);
    });
    this.#plot.addEventListener("pointerup", () => this.#choose());
    this.#plot.addEventListener("pointercancel", () => { this.#drag = null; });
    // A position chosen by touch stays until another one is touched.
    this.#plot.addEventListener("pointerleave", (event) => event.pointerType === "touch" || this.#read(null));
    document.addEventListener("pointerdown", (event) => {
      // Not compared with the target, which has been redrawn by now.
      if (this.#cursor != null && !event.composedPath().includes(this.#plot)) this.#read(null);
    });
    this.#plot.addEventListener("blur", () => this.#read(null));
    this.#plot.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#draw()).observe(this.#plot);
  }

  /** `data`: from, to, gap (ms without a point that break a line; the width of bars), times, series of {name, values, low?, high?, colour?, bands? ({from, to, name, kind}: what values mean)}. */
  show(data) {
    const names = (of) => of.series.map((one) => one.name).join("\n");
    const same = names(data) === names(this.#data);
    this.#data = data;
    if (!same) this.#explain();
    this.#draw();
  }

  /** Shows one series alone, by its name; all for null or an unknown name. */
  isolate(name) {
    this.#alone = name;
    this.#draw();
  }

  get #shown() {
    const { series } = this.#data;
    const alone = series.filter((one) => one.name === this.#alone);
    return alone.length ? alone : series;
  }

  #explain() {
    const entries = this.#data.series.map((one, index) => element("li", {},
swatch(one, index), one.name));
    this.#legend.replaceChildren(...(entries.length > 1 && this.#options.legend ? entries : []));
  }

  #draw() {
    const { from, to, times, series } = this.#data;
    const shown = this.#shown;
    const width = this.#plot.clientWidth;
    if (!width) return;
    const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
    const known = shown.flatMap((one) => [...one.values, ...(one.low ?? []), ...(one.high ?? [])])
      .filter((value) => value != null);
    const ticks = this.#scale(known);
    const [low, high] = [ticks[0], ticks.at(-1)];
    const labels = this.#labels(ticks);
    ruler.font = `12px ${getComputedStyle(this.#plot).fontFamily}`; // as the labels' in the style
    this.#left = 9 + Math.ceil(Math.max(35, ...labels.map((label) => ruler.measureText(label).width)));
    const inner = width - this.#left - MARGIN.right;
    const x = (at) => this.#left + ((at - from) / (to - from)) * inner;
    const y = (value) => HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    [this.#x, this.#y] = [x, y];

    if (known.length) svg.append(...this.#bands(low, high, y, width));
    ticks.forEach((tick, index) => {
      svg.append(
        shape("path", { class: "grid", d: `M${this.#left} ${y(tick).toFixed(1)}H${width - MARGIN.right}` }),
        shape("text", { class: "value", x: this.#left - 6, y: y(tick) + 4, "text-anchor": "end" }, labels[index]));
    });
    const { ticks: moments, format } = timeTicks(from, to, inner);
    for (const at of moments) {
      const anchor = x(at) > width - 24 ? "end" : "middle";
      svg.append(shape("text", { x: x(at), y: HEIGHT - 4, "text-anchor": anchor }, format.format(at)));
    }
    const trace = this.#options.bars ? this.#bars : this.#trace;
    series.forEach((one, index) => shown.includes(one) && svg.append(trace.call(this, one, index, x, y)));
    if (!known.length) {
      svg.append(shape("text", { class: "none", x: this.#left + inner / 2, y: HEIGHT / 2 - 6 }, this.#options.none));
    }
    const index = this.#index();
    if (this.#cursor != null && index >= 0) {
      svg.append(shape("path", { class: "cursor", d: `M${x(times[index]).toFixed(1)} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}` }));
      series.forEach((one, place) => {
        if (one.values[index] == null || !shown.includes(one)) return;
        svg.append(shape("circle", { class: `dot ${colour(one, place)}`, cx: x(times[index]), cy: y(one.values[index]), r: 4 }));
      });
    }
    if (this.#drag) {
      const [left, right] = this.#drag.map(x).sort((a, b) => a - b);
      svg.append(shape("rect", { class: "chosen", x: left, y: MARGIN.top, width: right - left, height: HEIGHT - MARGIN.top - MARGIN.bottom }));
    }
    this.#plot.replaceChildren(svg);
    this.#tell(index);
  }

  /** The values beside the lines: short, unless that would make two of them equal. */
  #labels(ticks) {
    if (this.#options.format !== short) return ticks.map((tick) => this.#options.format(tick));
    const labels = ticks.map(compact);
    return new Set(labels).size === ticks.length ? labels : ticks.map((tick) => tick.toLocaleString("en"));
  }

  /** The meaning of value ranges, as far as they are visible and all shown series share it. */
  #bands(low, high, y, width) {
    const [bands, ...others] = this.#shown.map((one) => one.bands ?? []);
    if (others.some((other) => JSON.stringify(other) !== JSON.stringify(bands))) return [];
    return bands.flatMap((band) => {
      const [bottom, top] = [Math.max(low, band.from), Math.min(high, band.to)];
      if (bottom >= top) return [];
      const height = y(bottom) - y(top);
      return [
        shape("rect", { class: `zone ${band.kind}`, x: this.#left, y: y(top), width: width - this.#left - MARGIN.right, height }),
        ...(height >= 14 ? [shape("text", { class: "zone-name", x: width - MARGIN.right - 4, y: y(top) + 12, "text-anchor": "end" }, band.name)] : []),
      ];
    });
  }

  #scale(known) {
    if (!known.length) return [0, 1];
    let low = known.reduce((a, b) => Math.min(a, b));
    let high = known.reduce((a, b) => Math.max(a, b));
    if (this.#options.zero) low = Math.min(low, 0);
    if (high <= low) high = low + (Math.abs(low) || 1) * 0.1;
    return valueTicks(low, high);
  }

  #trace(one, index, x, y) {
    const { values, low, high } = one;
    const { times, gap } = this.#data;
    let path = "", run = [], bands = "";
    const group = shape("g", { class: colour(one, index) });
    const close = () => {
      // A line needs two points; a single one is drawn as a dot.
      if (run.length === 1) group.append(shape("circle", { class: "lone", cx: x(times[run[0]]), cy: y(values[run[0]]), r: 2.5 }));
      if (low && run.length) {
        const edge = (at, value) => `${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}`;
        bands += `M${run.map((at) => edge(at, high[at])).join("L")}L${run.reverse().map((at) => edge(at, low[at])).join("L")}Z`;
      }
      run = [];
    };
    values.forEach((value, at) => {
      if (value == null) return close();
      const joined = run.length && times[at] - times[run.at(-1)] <= gap;
      if (!joined) close();
      path += `${joined ? "L" : "M"}${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}`;
      run.push(at);
    });
    close();
    if (bands) group.append(shape("path", { class: "band", d: bands }));
    group.append(shape("path", { class: line(one, index), d: path }));
    return group;
  }

  /** A bar per value; those of several series side by side. */
  #bars(one, index, x, y) {
    const { times, gap, series, from } = this.#data;
    const width = Math.max(1, (x(from + gap) - x(from)) * 0.8 / series.length);
    const group = shape("g", { class: colour(one, index) });
    one.values.forEach((value, at) => {
      if (value == null) return;
      const left = x(times[at]) + (index - series.length / 2) * width;
      group.append(shape("rect", { class: "bar", x: left.toFixed(1), y: y(value).toFixed(1), width: width.toFixed(1), height: (y(0) - y(value)).toFixed(1) }));
    });
    return group;
  }

  /** The point nearest to the cursor; without a cursor the newest. */
  #index() {
    const { times } = this.#data;
    if (this.#cursor == null) return times.length - 1;
    let best = times.length - 1;
    for (let index = best; index >= 0; index--) {
      if (Math.abs(times[index] - this.#cursor) < Math.abs(times[best] - this.#cursor)) best = index;
    }
    return best;
  }

  #tell(index) {
    const { times, series, from, to, gap } = this.#data;
    // The highest line first, as they lie in the chart.
    const lines = this.#shown.map((one) => [one, index < 0 ? null : one.values[index]])
      .sort(([, a], [, b]) => (b ?? -Infinity) - (a ?? -Infinity));
    const when = index < 0 ? "" : moment(times[index] - (this.#options.bars ? gap / 2 : 0), to - from); // a bar by its start
    const text = lines.map(([one, value]) => (series.length > 1 ? `${one.name} ${this.#value(value, one)}` : this.#value(value, one))).join(", ");
    this.#plot.setAttribute("aria-valuemax", Math.max(times.length - 1, 0));
    this.#plot.setAttribute("aria-valuenow", Math.max(index, 0));
    this.#plot.setAttribute("aria-valuetext", index < 0 ? this.#options.none : `${when}: ${text}`);

    this.#readout.hidden = this.#cursor == null || index < 0;
    if (this.#readout.hidden) return;
    const known = lines.filter(([, value]) => value != null || lines.length === 1);
    const near = this.#nearest(known);
    this.#readout.replaceChildren(element("b", {}, when), ...near.map(([one, value]) => element("div", {},
      ...(series.length > 1 ? [swatch(one, series.indexOf(one)), element("bdi", {}, one.name), ": "] : []), this.#value(value, one))),
    ...(known.length > near.length ? [element("div", {}, `and ${known.length - near.length} more`)] : []));
    const room = this.figure.clientWidth - this.#readout.offsetWidth - 8;
    const left = this.#plot.offsetLeft + this.#x(times[index]) + 12;
    const flipped = left > room ? left - this.#readout.offsetWidth - 24 : left;
    this.#readout.style.transform = `translate(${Math.max(4, Math.min(flipped, room))}px, ${this.#plot.offsetTop}px)`;
  }

  /** The lines nearest to the pointer, in their order; the highest ones for a reader at the keyboard. */
  #nearest(lines) {
    const distance = ([, value]) => Math.abs(this.#y(value) - this.#height);
    const near = new Set([...lines].sort((a, b) => distance(a) - distance(b)).slice(0, MOST_READ));
    return lines.filter((line) => near.has(line));
  }

  #value(value, { bands }) {
    if (value == null) return "no value";
    const meaning = bands?.find((band) => value >= band.from && value < band.to)?.name;
    const words = this.#options.unit ? `${this.#options.format(value)} ${this.#options.unit}` : this.#options.format(value);
    return meaning ? `${words}, ${meaning}` : words;
  }

  #at(event) {
    const { from, to } = this.#data;
    const box = this.#plot.getBoundingClientRect();
    const inner = box.width - this.#left - MARGIN.right;
    return from + ((event.clientX - box.left - this.#left) / inner) * (to - from);
  }

  #point(event) {
    if (this.#drag) this.#drag[1] = this.#at(event);
    this.#read(this.#at(event), event.clientY - this.#plot.getBoundingClientRect().top);
  }

  #begin(event) {
    this.#plot.setPointerCapture(event.pointerId);
    this.#drag = [this.#at(event), this.#at(event)];
  }

  #choose() {
    const [from, to] = this.#drag?.sort((a, b) => a - b) ?? [0, 0];
    this.#drag = null;
    if (this.#x(to) - this.#x(from) >= SHORTEST_DRAG) this.#options.choose(from, to);
    else this.#draw();
  }

  #key(event) {
    const { times } = this.#data;
    const index = this.#index();
    const last = times.length - 1;
    const to = {
      ArrowLeft: index - 1, ArrowDown: index - 1, ArrowRight: index + 1, ArrowUp: index + 1,
      PageUp: index + 12, PageDown: index - 12, Home: 0, End: last,
    }[event.key];
    if (event.key === "Escape") return this.#read(null);
    if (to === undefined || last < 0) return;
    event.preventDefault();
    this.#read(times[Math.max(0, Math.min(to, last))]);
  }

  #read(at, height = 0) {
    [this.#cursor, this.#height] = [at, height];
    this.#draw();
  }
}

/** A sample of a series' line, for the legend. */
export function swatch(one, index) {
  return shape("svg", { class: `swatch ${colour(one, index)}`, viewBox: "0 0 18 8", "aria-hidden": "true" },
    shape("path", { class: line(one, index), d: "M1 4h16" }));
}

const order = (one, index) => one.colour ?? index;
const colour = (one, index) => `c${order(one, index) % 6}`;
const line = (one, index) => (order(one, index) % 12 >= 6 ? "series dashed" : "series");
