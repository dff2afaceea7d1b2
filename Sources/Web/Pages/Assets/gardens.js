// The list of public gardens, a page of it at a time.

import { element, find } from "./element.js";
import { short } from "./words.js";

let cursor = null;

async function more() {
  const button = find("more");
  button.disabled = true;
  try {
    const response = await fetch(`/api/gardens?limit=60${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    const { items, nextCursor } = await response.json();
    cursor = nextCursor;
    find("gardens").append(...items.map(card));
    find("none").hidden = find("gardens").childElementCount > 0;
    find("notice").hidden = true;
    button.hidden = cursor == null;
    button.textContent = "Show more";
  } catch (error) {
    find("notice").textContent = `The gardens could not be loaded. ${error.message}`;
    find("notice").hidden = false;
    button.hidden = false;
    button.textContent = "Try again";
  }
  button.disabled = false;
}

function card({ id, name, areaSquareMetres }) {
  return element("li", { class: "card" },
    element("h2", {}, element("a", { href: `/gardens/${id}` }, name)),
    element("p", { class: "quiet" }, areaSquareMetres == null ? "A public garden" : `${short(areaSquareMetres)} m²`));
}

find("more").addEventListener("click", more);
more();
