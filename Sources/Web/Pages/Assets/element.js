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

/** Lets a list have these nodes. Those that stay are not moved: what is taken out loses the focus, and where Tab leads to. */
export function arrange(list, ...nodes) {
  for (const node of [...list.children]) if (!nodes.includes(node)) node.remove();
  nodes.forEach((node, at) => node === list.children[at] || list.insertBefore(node, list.children[at] ?? null));
}

/**
 * Shows a list anew, but for those of its entries, by their `id`, in which something is typed that was not sent. What had the
 * focus has it again, by its label, or when it is gone the section's heading.
 */
export function renew(list, ...entries) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  arrange(list, ...entries.map((entry) => {
    const old = entry.id && find(entry.id);
    return old && [...old.querySelectorAll("[name]")].some(isChanged) ? old : entry;
  }));
  if (!focused || focused.isConnected) return;
  const label = focused.getAttribute("aria-label");
  const heading = list.closest("section").querySelector("h2");
  heading.tabIndex = -1;
  ([...list.querySelectorAll("button, input")].find((node) => node.getAttribute("aria-label") === label) ?? heading).focus();
}

/** Whether a field holds something else than it was filled with. */
export function isChanged(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.options) return field.value !== ([...field.options].find((option) => option.defaultSelected) ?? field.options[0]).value;
  return field.validity.badInput || field.value !== field.defaultValue;
}

/** Writes text where it differs: what is read aloud is not read again. */
export function put(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

let isOfDeed = false; // whether the notice is of something that somebody did

/** Says on top of the page what went wrong; nothing when all is well. */
export function say(words, ...more) {
  if (!words && isOfDeed) return; // it stands until the next deed
  const notice = find("notice");
  isOfDeed = false;
  notice.hidden = !words;
  put(notice, words ?? "");
  notice.append(...more);
}

/** Takes away what was said of the deed before. */
export function begin() {
  if (!isOfDeed) return;
  isOfDeed = false;
  say("");
}

/** What an error has to say, with the way back for whom the page was. */
export const told = (error) => [error.message, ...error instanceof SignedOut ? [" ", wayToSignIn()] : []];

/** What a module gives that comes when it is needed, or nothing where it cannot be had, which is said. */
export async function part(coming) {
  try {
    return await coming;
  } catch {
    say("A part of this page did not come. ", element("a", { href: "" }, "Load the page again"));
    return {};
  }
}

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
