// The reference's search: hides entries that lack any of the words. Reading needs no script; trial.js runs operations.

import { addCopy } from "./copy.js";
import { addTrial } from "./trial.js";

const search = document.getElementById("search");
const input = search.querySelector("input");
const count = document.getElementById("count");
const entries = [...document.querySelectorAll(".operation")]; // shapes, too
const texts = entries.map((entry) => entry.textContent.toLowerCase());
const isOperation = entries.map((entry) => entry.closest(".chapter") != null);
const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link.closest("li")]));

function filter() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  entries.forEach((entry, index) => {
    const matches = words.every((word) => texts[index].includes(word));
    entry.hidden = !matches;
    const link = links.get(entry.id);
    if (link) link.hidden = !matches;
    if (matches && isOperation[index]) shown++;
  });
  hideEmpty(".chapter, #schemas", ".operation");
  hideEmpty(".contents li:has(> ul)", "li");
  links.get("schemas").hidden = document.getElementById("schemas").hidden;
  count.textContent = words.length ? `${shown} of ${isOperation.filter(Boolean).length} operations` : "";
}

function hideEmpty(wholes, parts) {
  for (const whole of document.querySelectorAll(wholes)) {
    whole.hidden = [...whole.querySelectorAll(parts)].every((part) => part.hidden);
  }
}

/** A link to a hidden entry clears the search. */
function follow() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target?.closest("[hidden]")) return;
  input.value = "";
  filter();
  target.scrollIntoView();
}

// On a phone the contents would fill a page.
if (!matchMedia("(min-width: 62rem)").matches) document.querySelector(".contents details").open = false;

search.hidden = false;
input.addEventListener("input", filter);
addEventListener("hashchange", follow);
search.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|textarea)$/i.test(document.activeElement?.tagName ?? "")) {
    event.preventDefault();
    input.focus();
  }
});
filter();

// The examples use this server's address.
for (const code of document.querySelectorAll("pre code")) {
  if (code.textContent.includes("http://localhost:3000")) code.textContent = code.textContent.replaceAll("http://localhost:3000", location.origin);
}
for (const block of document.querySelectorAll("pre")) addCopy(block);
for (const operation of document.querySelectorAll(".chapter .operation")) addTrial(operation);
