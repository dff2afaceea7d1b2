// Numbers, times and names as people read them.

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

export const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
export const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
export const yearAlone = new Intl.DateTimeFormat("en-GB", { year: "numeric" });
const month = new Intl.DateTimeFormat("en-GB", { month: "short" });
export const monthOfYear = { format: (at) => `${month.format(at)} ’${yearAlone.format(at).slice(-2)}` };
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const fullDate = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** The browser's time zone, by its IANA name. */
export const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** At most three significant digits, and no more than a number of that size needs. */
export function short(value) {
  if (value == null) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return compact(value);
  const digits = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** A large number in thousands, millions or more: 1.2M. */
export function compact(value) {
  if (Math.abs(value) < 1e5) return short(value);
  return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 4 });
}

/** The time of day; with the day if several days are shown. */
export function moment(at, span = 0) {
  if (span <= HOUR) return seconds.format(at);
  if (span <= DAY) return clock.format(at);
  return span <= 120 * DAY ? `${date.format(at)}, ${clock.format(at)}` : fullDate.format(at);
}

/** A moment that may be long ago, or far in the future. */
export function day(at) {
  const same = new Date(at).toDateString() === new Date().toDateString();
  return same ? clock.format(at) : moment(at, Math.abs(Date.now() - at) > 120 * DAY ? Infinity : 2 * DAY);
}

/** The start of a local date, as a date field has it, or of the date `later` days on. Where clocks change at midnight, that is at one. */
export function midnight(date, later = 0) {
  const [year, month, day] = date.split("-").map(Number);
  return new Date(year, month - 1, day + later);
}

/** How long ago something was. */
export function age(at, now = Date.now()) {
  const passed = Math.max(0, now - at);
  if (passed < MINUTE) return "just now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`;
  if (passed < 2 * DAY) return `${Math.floor(passed / HOUR)} h ago`;
  return `${Math.floor(passed / DAY)} days ago`;
}

const SENSORS = [
  "soil_moisture", "soil_temperature", "air_temperature", "air_humidity", "rain", "light", "wind_speed", "ph", "ec",
  "pressure",
];

/** Soil sensors first, device sensors last. */
export const sensorOrder = (a, b) => rank(a) - rank(b) || a.localeCompare(b);
const rank = (type) => (type === "battery" ? 99 : SENSORS.includes(type) ? SENSORS.indexOf(type) : 50);

export function sensorName(type) {
  const words = type.replaceAll("_", " ");
  return words === "ph" ? "pH" : words === "ec" ? "Conductivity" : words[0].toUpperCase() + words.slice(1);
}
