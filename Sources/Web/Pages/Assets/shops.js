// Shops: a list to search, and the user's own.

import { element, find, leave, say } from "./element.js";
import { onSubmit } from "./form.js";
import { get, make } from "./server.js";
import { signedIn } from "./visitor.js";

let sought = ""; // the words of the list that is shown: those in the field may not have been sent yet
let cursor = null;
let asked = 0;

const card = ({ id, name, category, description }) => element("li", { class: "card" },
  element("h2", {}, element("a", { href: `/shops/${id}` }, name)),
  element("p", { class: "quiet" }, category), description && element("p", {}, description));

async function more() {
  const mine = ++asked;
  find("more").disabled = true;
  const query = new URLSearchParams({ limit: 30 });
  if (sought) query.set("q", sought);
  if (cursor) query.set("cursor", cursor);
  try {
    const answer = await get(`/api/businesses?${query}`);
    if (mine === asked) show(answer); // else another search was made meanwhile
  } finally {
    if (mine === asked) find("more").disabled = false;
  }
}

function show({ items, nextCursor }) {
  cursor = nextCursor;
  find("shops").append(...items.map(card));
  find("none").hidden = find("shops").childElementCount > 0;
  find("more").hidden = cursor == null;
}

/** The notice goes when something new is attempted: what succeeds meanwhile must not remove what is said of the rest. */
function attempt(act) {
  say("");
  act().catch((error) => say(error.message));
}

find("more").addEventListener("click", () => attempt(more));
find("search").addEventListener("submit", (event) => {
  event.preventDefault();
  [sought, cursor] = [find("words").value.trim(), null];
  find("shops").replaceChildren();
  attempt(more);
});

onSubmit(find("new-shop"), async (values) => {
  const { id } = await make("/api/businesses", values);
  await leave(`/shops/${id}`);
});

async function own() {
  const me = await signedIn();
  find("own").hidden = me == null;
  if (!me) return;
  const { items } = await get("/api/businesses?owner=me&limit=100");
  find("own-shops").replaceChildren(...items.filter(({ ownerId }) => ownerId === me.id).map(card));
}

attempt(more);
attempt(own);
