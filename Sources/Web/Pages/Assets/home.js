// The first page: signs in, or shows the user's gardens and their insights.

import { element, find, leave, say } from "./element.js";
import { onSubmit } from "./form.js";
import { showInsights } from "./insights.js";
import { all, get, make } from "./server.js";
import { destination, profile, signIn } from "./visitor.js";
import { age, sensorName, sensorOrder, short, zone } from "./words.js";

const NEWEST = 6; // insights on top
const VALUES = 3; // per garden
const LOOKS = 20; // the newest gardens, which are looked at before the page is shown

async function show() {
  const me = await profile();
  find("stranger").hidden = me != null;
  find("grower").hidden = me == null;
  document.body.classList.toggle("signed-in", me != null);
  if (!me) return;
  find("title").textContent = `Welcome, ${me.displayName}`;
  const [own, shared] = await Promise.all([all("/api/gardens?owner=me"), all("/api/gardens?owner=others")]);
  const gardens = [...own, ...shared];
  find("none").hidden = gardens.length > 0;
  const cards = gardens.map((garden) => card(garden, me));
  const names = new Map(gardens.map(({ id, name }) => [id, name]));
  let newest = [];

  async function lookAt(from, to) {
    for (let at = from; at < Math.min(to, gardens.length); at++) { // all at once would be refused as too many
      const { insights, values } = await look(gardens[at]);
      fill(cards[at], values);
      newest = [...newest, ...insights].sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, NEWEST);
      if (at >= LOOKS && newest.some((one) => insights.includes(one))) showNewest();
    }
  }

  function showNewest() {
    showInsights(find("insights"), newest, names);
    find("advice").hidden = newest.length === 0;
  }

  await lookAt(0, LOOKS);
  find("gardens").replaceChildren(...cards);
  showNewest();
  lookAt(LOOKS, Infinity);
}

/** A garden's summary; nothing if it cannot be loaded now. */
async function look({ id }) {
  const [insights, latest] = await Promise.allSettled([
    get(`/api/gardens/${id}/insights?limit=${NEWEST}`), get(`/api/gardens/${id}/latest`),
  ]);
  return { insights: insights.value?.items ?? [], values: latest.value?.items };
}

function card({ id, name, ownerId, public: isPublic }, me) {
  return element("li", { class: "card" },
    element("h3", {}, element("a", { href: `/gardens/${id}` }, name)),
    element("p", { class: "quiet" }, isPublic ? "Public" : "Private", ownerId === me.id ? "" : " · shared with you"),
    element("dl"));
}

/** Shows in a garden's card for each sensor the newest value of all devices. */
function fill(card, values) {
  const newest = new Map();
  for (const value of values ?? []) {
    if (!(newest.get(value.sensorType)?.measuredAt >= value.measuredAt)) newest.set(value.sensorType, value);
  }
  const rows = [...newest.values()].sort((a, b) => sensorOrder(a.sensorType, b.sensorType)).slice(0, VALUES);
  if (values?.length === 0) card.querySelector("p").append(" · nothing measured yet");
  card.querySelector("dl").replaceChildren(...rows.flatMap(({ sensorType, value, unit, measuredAt }) => [
    element("dt", {}, sensorName(sensorType)),
    element("dd", {}, `${short(value)} ${unit ?? ""}`, element("span", { class: "when quiet" }, age(Date.parse(measuredAt))))]));
}

onSubmit(find("sign-in"), async ({ email, password }) => {
  await signIn(email ?? "", password ?? "");
  const wanted = destination();
  if (wanted) return leave(wanted);
  await show();
  find("title").tabIndex = -1;
  find("title").focus();
});

onSubmit(find("new-garden"), async (values) => {
  const { id } = await plant(values);
  await leave(`/gardens/${id}`);
});

/** Makes a garden in the browser's time zone, or without one if the server does not know that. */
async function plant(values) {
  try {
    return await make("/api/gardens", { ...values, timeZone: zone });
  } catch (error) {
    if (!error.errors?.some(({ pointer }) => pointer === "/timeZone")) throw error;
    return make("/api/gardens", values);
  }
}

show().catch((error) => say(error.message));
