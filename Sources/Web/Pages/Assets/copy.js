// Buttons that copy what stands beside them.

import { element } from "./element.js";

/** Puts a button before a block of text. */
export function addCopy(block) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copy(block)) ? "Copied" : "Selected";
    setTimeout(() => { button.textContent = "Copy"; }, 2_000);
  });
  block.before(button);
}

/** Where a page has no clipboard, as without TLS, what is to be copied is selected. */
async function copy(block) {
  try {
    await navigator.clipboard.writeText(block.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(block);
    return false;
  }
}
