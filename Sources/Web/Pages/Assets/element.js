// Elements of a page.

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
  node.addEventListener("click", async () => {
    if (node.ariaBusy === "true") return;
    node.ariaBusy = "true";
    try {
      await act(node);
    } catch (error) {
      say(error.message);
    }
    node.ariaBusy = "false";
  });
  return node;
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

/** Says on top of the page what went wrong; nothing when all is well. */
export function say(words) {
  const notice = find("notice");
  notice.hidden = !words;
  put(notice, words ?? "");
}

/** Says what was done, to those who hear the page. */
export function tell(words) {
  put(find("said"), words);
}
