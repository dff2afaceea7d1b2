// Elements of a page.

import { SignedOut } from "./server.js";

const PATIENCE = 15_000; // with a page that is on its way
const SAID = 10_000; // how long it stands there
const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

/** An HTML element with attributes and children, of which false and null are none; text becomes text, never markup. */
export function element(name, attributes = {}, ...children) {
  return furnish(document.createElement(name), attributes, children);
}

export function shape(name, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, name), attributes, children);
}

function furnish(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

/** A button that does something, and rests while it is done. */
export function button(words, act, attributes = {}) {
  const node = element("button", { type: "button", ...attributes }, words);
  onClick(node, act);
  return node;
}

/** The same of a button that is there. */
export function onClick(node, act) {
  node.addEventListener("click", async () => {
    if (node.ariaBusy === "true") return;
    node.ariaBusy = "true";
    begin();
    try {
      await act(node);
    } catch (error) {
      say(...told(error));
      isOfDeed = true;
    }
    node.ariaBusy = "false";
  });
}

/** Loads the page anew, and shows nothing of the old one meanwhile. */
export function renewPage() {
  document.body.hidden = true;
  location.reload();
}

/** Goes to another page. Whoever waits for it stays busy until that is there; who comes back finds this page anew. */
export function leave(path) {
  addEventListener("pageshow", ({ persisted }) => persisted && renewPage());
  location.assign(path);
  return new Promise((done) => { setTimeout(done, PATIENCE); });
}

/** Shows a list anew. What had the focus has it again, by its label, or when it is gone the section's heading. */
export function renew(list, ...entries) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  list.replaceChildren(...entries);
  if (!focused) return;
  const label = focused.getAttribute("aria-label");
  const heading = list.closest("section").querySelector("h2");
  heading.tabIndex = -1;
  ([...list.querySelectorAll("button, input")].find((node) => node.getAttribute("aria-label") === label) ?? heading).focus();
}

/** Writes text where it differs: what is read aloud is not read again. */
export function put(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

let isOfDeed = false; // whether the notice is of something that somebody did

/** Says on top of the page what went wrong; nothing when all is well. */
export function say(words, ...more) {
  const notice = find("notice");
  isOfDeed = false;
  notice.hidden = !words;
  put(notice, words ?? "");
  notice.append(...more);
}

/** Takes away what was said of the deed before. */
export function begin() {
  if (isOfDeed) say("");
}

/** What an error has to say, with the way back for whom the page was. */
export const told = (error) => [error.message, ...error instanceof SignedOut ? [" ", wayToSignIn()] : []];

/** A link to sign in, or register, and come back here. */
export function wayToSignIn(path = "/", words = "Sign in") {
  return element("a", { href: `${path}?to=${encodeURIComponent(location.pathname)}` }, words);
}

let saying;

/** Says what was done, for a while. */
export function tell(words) {
  put(find("said"), words);
  clearTimeout(saying);
  saying = setTimeout(() => put(find("said"), ""), SAID);
}
