// The list of public gardens, page by page.

import { element, find, say } from "./element.js";
import { get } from "./server.js";
import { short } from "./words.js";

let cursor = null;

async function more() {
  const button = find("more");
  button.disabled = true;
  try {
    const { items, nextCursor } = await get(`/api/gardens?limit=60${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    cursor = nextCursor;
    // Signed-in users see private ones, too.
    find("gardens").append(...items.filter((garden) => garden.public).map(card));
    find("none").hidden = cursor != null || find("gardens").childElementCount > 0;
    say("");
    button.hidden = cursor == null;
    button.textContent = "Show more";
  } catch (error) {
    say(`The gardens could not be loaded. ${error.message}`);
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
