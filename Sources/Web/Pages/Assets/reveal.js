// Secrets that are shown once.

import { addCopy } from "./copy.js";
import { element } from "./element.js";

/** Shows a secret in its place, and moves the focus there. */
export function reveal(place, words, secret) {
  const block = element("pre", { tabindex: 0, "aria-label": words }, element("code", {}, secret));
  place.replaceChildren(element("div", { class: "card" }, element("p", {}, `${words} It is shown only this once.`), block));
  addCopy(block);
  place.focus();
}
