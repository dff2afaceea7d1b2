// Orders: the user's purchases and sales, with the steps that the user may take.

import { button, element, find, renew, say, tell } from "./element.js";
import { money } from "./money.js";
import { all, get, optional, send } from "./server.js";
import { signedIn } from "./visitor.js";
import { day } from "./words.js";

const PAGE = 50;
const SELLER_STEPS = {
  pending: ["paid", "cancelled"], paid: ["preparing", "refunded"], preparing: ["shipped", "refunded"],
  shipped: ["delivered", "refunded"], delivered: ["refunded"],
};
// A paid order may be cancelled once the seller neglects it: the server says whether that time has come.
const BUYER_STEPS = { pending: ["cancelled"], paid: ["cancelled"], preparing: ["cancelled"], shipped: ["delivered"] };
const WORDS = {
  paid: "Mark as paid", preparing: "Start preparing", shipped: "Mark as shipped", delivered: "Mark as delivered",
  cancelled: "Cancel", refunded: "Refund",
};
const ENDS = { cancelled: "End this order for good", refunded: "Refund" }; // these ask first, since they cannot be undone
const shops = new Map(); // business id → its name
const shown = { bought: PAGE, sold: PAGE };
let asked = 0;

async function load() {
  const mine = ++asked;
  const me = await signedIn();
  find("orders").hidden = me == null;
  if (!me) return;
  await Promise.all([["bought", "buyer", BUYER_STEPS], ["sold", "seller", SELLER_STEPS]].map(async ([list, role, steps]) => {
    const found = await all(`/api/orders?role=${role}`, shown[list] + 1);
    const items = found.slice(0, shown[list]);
    await Promise.all([...new Set(items.map(({ businessId }) => businessId))].map(know));
    if (mine !== asked) return; // asked again meanwhile
    renew(find(list), ...items.map((order) => entry(order, steps[order.status] ?? [])));
    find(`${list}-more`).hidden = found.length === items.length;
    find(`${list}-none`).hidden = items.length > 0;
  }));
}

async function know(business) {
  if (!shops.has(business)) shops.set(business, (await optional(get(`/api/businesses/${business}`)))?.name ?? "a shop that has closed");
}

// A time that the browser cannot parse is shown as it is: one order must not break the others.
const when = (text) => Number.isNaN(Date.parse(text)) ? text : day(Date.parse(text));

function entry(order, steps) {
  const { id, status, lines, total, businessId, createdAt, note, contact, fulfilment } = order;
  // Isolates names by others: a right-to-left one must not reorder its neighbours.
  const what = lines.flatMap(({ quantity, unit, name }, index) => [index > 0 && ", ", element("bdi", {}, `${quantity} × ${name} (${unit})`)]);
  const words = `${shops.get(businessId)}, ${money(total)}`;
  const where = fulfilment && [fulfilment.kind, fulfilment.address, fulfilment.from && `from ${when(fulfilment.from)}`, fulfilment.to && `to ${when(fulfilment.to)}`];
  return element("li", { id: `order-${id}` },
    element("span", {},
      element("strong", {}, words), element("span", { class: `state ${status}` }, status), element("br"), ...what,
      element("span", { class: "quiet" }, ` · ${day(Date.parse(createdAt))}`),
      contact && element("div", {}, `For ${[contact.name, contact.phone, contact.email].filter(Boolean).join(", ")}`),
      where && element("div", {}, where.filter(Boolean).join(" ")),
      note && element("div", { class: "quiet" }, note)),
    ...steps.map((to) => button(WORDS[to], async () => {
      if (to in ENDS && !confirm(`${ENDS[to]}: ${words}?`)) return;
      try {
        await send("POST", `/api/orders/${id}/transitions`, { to });
      } catch (error) {
        await load().catch(() => {}); // the other side may have been faster; if this fails too, the first error says more
        throw error;
      }
      tell(`${words} is ${to}`);
      await load();
      find(`order-${id}`)?.querySelector("button")?.focus();
    }, { "aria-label": `${WORDS[to]}: ${words}` })));
}

for (const list of Object.keys(shown)) {
  find(`${list}-more`).addEventListener("click", () => {
    shown[list] += PAGE;
    attempt();
  });
}

const attempt = () => load().then(() => say(""), (error) => say(error.message));

document.addEventListener("visibilitychange", () => document.hidden || attempt());
attempt();
