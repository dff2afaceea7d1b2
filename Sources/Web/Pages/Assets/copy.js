// Buttons that copy the text beside them.

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

/** Without a clipboard, as on a page without TLS, the text is selected instead. */
async function copy(block) {
  try {
    await navigator.clipboard.writeText(block.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(block);
    return false;
  }
}
