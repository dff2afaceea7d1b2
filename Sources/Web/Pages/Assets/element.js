// Elements of a page.

import { SignedOut } from "./server.js";

const PATIENCE = 15_000; // how long a page may take to load
const SAID = 10_000; // how long a notice stays
const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

/** An HTML element with attributes and children, where false and null are skipped; text becomes text, never markup. */
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

/** A button that runs an action, and is disabled meanwhile. */
export function button(words, act, attributes = {}) {
  const node = element("button", { type: "button", ...attributes }, words);
  onClick(node, act);
  return node;
}

/** Makes an existing button do the same. */
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

/** Reloads the page, hiding the old one meanwhile. */
export function renewPage() {
  document.body.hidden = true;
  location.reload();
}

/** Goes to another page. The caller stays busy until that loads; a visitor who comes back finds this page reloaded. */
export function leave(path) {
  addEventListener("pageshow", ({ persisted }) => persisted && renewPage());
  location.assign(path);
  return new Promise((done) => { setTimeout(done, PATIENCE); });
}

/**
 * Makes these nodes a list's children. Those that stay are not moved: a moved node loses the focus and its place for
 * Tab.
 */
export function arrange(list, ...nodes) {
  for (const node of [...list.children]) if (!nodes.includes(node)) node.remove();
  nodes.forEach((node, at) => node === list.children[at] || list.insertBefore(node, list.children[at] ?? null));
}

/**
 * Shows a list again, except entries (by `id`) in which something unsent is typed. The focus returns to where it was,
 * by label, in the same entry if that has an `id`, or to the section's heading if it is gone.
 */
export function renew(list, ...entries) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const at = [...list.children].find((child) => child.contains(focused))?.id;
  arrange(list, ...entries.map((entry) => {
    const old = entry.id && find(entry.id);
    return old && [...old.querySelectorAll("[name]")].some(isChanged) ? old : entry;
  }));
  if (!focused || focused.isConnected) return;
  const label = focused.getAttribute("aria-label");
  const place = at ? find(at) : list;
  const heading = list.closest("section").querySelector("h2");
  heading.tabIndex = -1;
  ([...place?.querySelectorAll("button, input") ?? []].find((node) => node.getAttribute("aria-label") === label) ?? heading).focus();
}

/** Whether a field differs from its initial value. */
export function isChanged(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.options) return field.value !== ([...field.options].find((option) => option.defaultSelected) ?? field.options[0]).value;
  return field.validity.badInput || field.value !== field.defaultValue;
}

/** Sets text only if it differs: a screen reader would read it again. */
export function put(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

let isOfDeed = false; // whether the notice is about a user's action, or a part that only loading the page again brings

/** Says at the top of the page what went wrong; nothing when all is well. */
export function say(words, ...more) {
  if (!words && isOfDeed) return; // it stays until the next action
  const notice = find("notice");
  isOfDeed = false;
  notice.hidden = !words;
  put(notice, words ?? "");
  notice.append(...more);
}

/** Removes the notice of the last action. */
export function begin() {
  if (!isOfDeed) return;
  isOfDeed = false;
  say("");
}

/** Whether something unsent is typed on this page. */
export const isTyped = () => [...document.querySelectorAll("form [name]")].some(isChanged);

/** An error's message, with a link to sign in if the session has ended. */
export const told = (error) => (error instanceof SignedOut ? [error.message, " ", wayToSignIn()] : [error.message]);

/** Loads a module on demand; shows a notice and returns nothing if that fails. */
export async function part(coming) {
  try {
    return await coming;
  } catch {
    say("Part of this page could not be loaded. ", element("a", { href: "" }, "Load the page again"));
    isOfDeed = true; // that all else could be loaded removes it as little
    return {};
  }
}

/** A link to sign in, or register, and come back here; in another tab if something is typed, which then stays. */
export function wayToSignIn(path = "/", words = "Sign in") {
  return element("a", { href: `${path}?to=${encodeURIComponent(location.pathname)}`, target: isTyped() && "_blank" }, words);
}

let saying;

/** Says for a while what was done. */
export function tell(words) {
  put(find("said"), words);
  clearTimeout(saying);
  saying = setTimeout(() => put(find("said"), ""), SAID);
}
