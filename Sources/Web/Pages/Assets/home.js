// The first page: signs in, or shows one's gardens with what was found out about them.

import { element, find, say } from "./element.js";
import { onSubmit } from "./form.js";
import { showInsights } from "./insights.js";
import { all, get, optional, send } from "./server.js";
import { profile, signIn } from "./visitor.js";
import { age, sensorName, sensorOrder, short } from "./words.js";

const NEWEST = 6; // insights on top
const VALUES = 3; // of each garden

async function show() {
  const me = await profile();
  find("stranger").hidden = me != null;
  find("grower").hidden = me == null;
  document.body.classList.toggle("signed-in", me != null);
  if (!me) return;
  find("title").textContent = `Welcome, ${me.displayName}`;
  const gardens = await all("/api/gardens?owner=me");
  find("none").hidden = gardens.length > 0;
  const found = await Promise.all(gardens.map(look));
  find("gardens").replaceChildren(...gardens.map((garden, index) => card(garden, found[index])));
  const insights = found.flatMap((one) => one.insights).sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, NEWEST);
  showInsights(find("insights"), insights, new Map(gardens.map(({ id, name }) => [id, name])));
  find("advice").hidden = insights.length === 0;
}

/** What there is to say of a garden; nothing where it cannot be had just now. */
async function look({ id }) {
  const [insights, latest] = await Promise.all([
    optional(get(`/api/gardens/${id}/insights?limit=${NEWEST}`)), optional(get(`/api/gardens/${id}/latest`)),
  ]);
  return { insights: insights?.items ?? [], values: latest?.items ?? [] };
}

function card({ id, name, public: isPublic }, { values }) {
  // Of each sensor the newest value of all devices.
  const newest = new Map();
  for (const value of values) {
    if (!(newest.get(value.sensorType)?.measuredAt >= value.measuredAt)) newest.set(value.sensorType, value);
  }
  const rows = [...newest.values()].sort((a, b) => sensorOrder(a.sensorType, b.sensorType)).slice(0, VALUES);
  return element("li", { class: "card" },
    element("h3", {}, element("a", { href: `/gardens/${id}` }, name)),
    element("p", { class: "quiet" }, isPublic ? "Public" : "Private", rows.length ? "" : " · nothing measured yet"),
    element("dl", {}, ...rows.flatMap(({ sensorType, value, unit, measuredAt }) => [
      element("dt", {}, sensorName(sensorType)),
      element("dd", {}, `${short(value)} ${unit ?? ""}`, element("span", { class: "when quiet" }, age(Date.parse(measuredAt))))])));
}

onSubmit(find("sign-in"), async ({ email, password }) => {
  await signIn(email ?? "", password ?? "");
  const wanted = new URLSearchParams(location.search).get("to");
  // A path of this server's, and no other's address.
  if (wanted && new URL(wanted, location.href).origin === location.origin) return location.assign(wanted);
  await show();
  find("title").tabIndex = -1;
  find("title").focus();
});

onSubmit(find("new-garden"), async (values) => {
  const { id } = await send("POST", "/api/gardens", values);
  location.assign(`/gardens/${id}`);
});

show().catch((error) => say(error.message));
