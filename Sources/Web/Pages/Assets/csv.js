// A garden's readings as a file for spreadsheets and notebooks.

import { element, find, tell } from "./element.js";
import { onSubmit } from "./form.js";
import { Refusal } from "./server.js";

const MONTH = 30 * 86_400_000;
const KEPT = 60_000; // until the browser has the file

/** Offers the days of a span; the last month unless others are chosen. */
export function offerTable(id) {
  const form = find("csv");
  form.elements.from.value = dayOf(Date.now() - MONTH);
  form.elements.to.value = dayOf(Date.now());
  onSubmit(form, async ({ from, to, resolution }) => {
    if (!from || !to) throw new Error("Choose the first and the last day.");
    const query = new URLSearchParams({ from: midnight(from), to: midnight(to, 1), resolution });
    if (resolution === "1d") query.set("timeZone", new Intl.DateTimeFormat().resolvedOptions().timeZone);
    const response = await fetch(`/api/gardens/${id}/readings?${query}`, { headers: { Accept: "text/csv" } });
    if (!response.ok) throw new Refusal(response.status, await response.json());
    const address = URL.createObjectURL(await response.blob());
    element("a", { href: address, download: `readings-${from}-${to}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), KEPT);
    tell("The file is downloaded");
  });
  find("csv-download").disabled = false;
}

/** The date where the browser is, as a field has it. */
const dayOf = (at) => new Intl.DateTimeFormat("en-CA").format(at);

/** The beginning of a date there, or of the one some days later. */
function midnight(date, later = 0) {
  const at = new Date(`${date}T00:00`);
  at.setDate(at.getDate() + later);
  return at.toISOString();
}
