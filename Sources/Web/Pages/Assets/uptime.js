// Uptime: a bar per day and hour, and the incidents.

import { element, find } from "./element.js";
import { get } from "./server.js";
import { clock, date, moment, short } from "./words.js";

const DAY = 86_400_000;
const utcDate = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const GOOD = 0.9995, FAIR = 0.99;
const MEANINGS = { away: "No answer", unhealthy: "Unhealthy", degraded: "Degraded" };

export async function showUptime() {
  let history;
  try {
    history = await get("/status/history");
  } catch (error) {
    for (const id of ["days-sum", "hours-sum"]) find(id).textContent = `The history could not be loaded. ${error.message}`;
    return;
  }
  const { days, hours, incidents } = history;
  showBars("days", days, (start) => utcDate.format(start));
  showBars("hours", hours, (start) => `${date.format(start)}, ${clock.format(start)}`);
  if (!incidents.length) return;
  find("incidents").replaceChildren(...incidents.map(({ from, to, status }) => element("li", {},
    element("span", {}, element("strong", {}, MEANINGS[status]), ` from ${moment(Date.parse(from), 2 * DAY)}`,
      element("span", { class: "quiet" }, ` for ${lasting(Date.parse(to) - Date.parse(from))}`)))));
}

function showBars(id, steps, name) {
  find(id).replaceChildren(...steps.map(({ start, up, degraded }) => {
    const words = up == null ? "no data" : `${percent(up)} served${degraded > 0 ? `, ${percent(degraded)} degraded` : ""}`;
    const kind = up == null ? "unknown" : up < FAIR ? "unhealthy" : up < GOOD || degraded > 1 - GOOD ? "degraded" : "healthy";
    return element("li", { class: kind, title: `${name(Date.parse(start))}: ${words}` },
      element("span", { class: "spoken" }, `${name(Date.parse(start))}: ${words}`));
  }));
  const known = steps.filter(({ up }) => up != null);
  const share = known.reduce((sum, { up }) => sum + up, 0) / known.length;
  find(`${id}-sum`).textContent = known.length ? `${percent(share)} served` : "No data yet.";
}

const percent = (share) => `${(Math.floor(Math.min(1, share) * 1e4) / 100).toFixed(share >= 1 ? 0 : 2)} %`;

function lasting(ms) {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  return minutes < 120 ? `${minutes} min` : minutes < 2_880 ? `${short(minutes / 60)} h` : `${short(minutes / 1_440)} days`;
}
