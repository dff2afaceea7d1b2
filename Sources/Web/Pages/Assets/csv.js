// A garden's readings as a file for spreadsheets and notebooks.

import { element, find, tell } from "./element.js";
import { onSubmit } from "./form.js";
import { request } from "./server.js";
import { midnight, zone } from "./words.js";

const MONTH = 30 * 86_400_000;
const KEPT = 60_000; // until the browser has saved the file

/** Offers a span of days; by default the last month. */
export function offerTable(id) {
  const form = find("csv");
  const { from: first, to: last } = form.elements;
  first.value = first.defaultValue = dayOf(Date.now() - MONTH);
  last.value = last.defaultValue = dayOf(Date.now());
  onSubmit(form, async ({ from, to, resolution }) => {
    if (!from || !to) throw new Error("Choose the first and the last day.");
    const query = new URLSearchParams({ from: midnight(from).toISOString(), to: midnight(to, 1).toISOString(), resolution });
    if (resolution === "1d") query.set("timeZone", zone);
    // Without a time-out: the file may be large.
    const file = await request(`/api/gardens/${id}/readings?${query}`, { headers: { Accept: "text/csv" } }, (response) => response.blob());
    const address = URL.createObjectURL(file);
    element("a", { href: address, download: `readings-${from}-${to}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), KEPT);
    tell("The file has been downloaded");
  });
  find("csv-download").disabled = false;
}

/** The browser's local date, as a date field has it. */
const dayOf = (at) => new Intl.DateTimeFormat("en-CA").format(at);
