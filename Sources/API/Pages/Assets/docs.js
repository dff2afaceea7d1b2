// The reference's search: hides what does not hold every word. Reading needs no script.

const search = document.getElementById("search");
const input = search.querySelector("input");
const count = document.getElementById("count");
const operations = [...document.querySelectorAll(".operation")];
const texts = operations.map((operation) => operation.textContent.toLowerCase());
const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link.closest("li")]));

function filter() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  operations.forEach((operation, index) => {
    const matches = words.every((word) => texts[index].includes(word));
    operation.hidden = !matches;
    const link = links.get(operation.id);
    if (link) link.hidden = !matches;
    if (matches) shown++;
  });
  for (const chapter of document.querySelectorAll(".chapter, .contents li:has(> strong)")) {
    const parts = chapter.querySelectorAll(".operation, li");
    chapter.hidden = parts.length > 0 && [...parts].every((part) => part.hidden);
  }
  count.textContent = words.length ? `${shown} of ${operations.length} operations` : "";
}

// On a phone the contents would be a page by themselves.
if (!matchMedia("(min-width: 62rem)").matches) document.querySelector(".contents details").open = false;

search.hidden = false;
input.addEventListener("input", filter);
search.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|textarea)$/i.test(document.activeElement?.tagName ?? "")) {
    event.preventDefault();
    input.focus();
  }
});
filter();
