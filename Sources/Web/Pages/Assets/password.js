// Asks for the mail that leads to a new password, and sets that by the mail's code. A link has the code behind its #, which
// no server is sent.

import { find, tell } from "./element.js";
import { onSubmit } from "./form.js";
import { send } from "./server.js";
import { forget } from "./visitor.js";

function choose(code) {
  find("asking").hidden = find("done").hidden = true;
  find("choosing").hidden = false;
  find("code").hidden = code !== "";
  find("token").value = code;
  find("sent").hidden = code !== "";
}

onSubmit(find("ask"), async (values) => {
  await send("POST", "/api/password-resets", values);
  choose("");
  tell(find("sent").textContent);
  find("token").focus();
});

onSubmit(find("choose"), async ({ token, password }) => {
  await send("POST", `/api/password-resets/${encodeURIComponent((token ?? "").trim() || "-")}`, { password: password ?? "" });
  forget();
  find("choosing").hidden = true;
  find("done").hidden = false;
  tell("Your password is set.");
});

function take() {
  const code = location.hash.slice(1);
  if (!code) return;
  // It stays neither in the address nor in the browser's history.
  history.replaceState(null, "", location.pathname);
  choose(code);
}

addEventListener("hashchange", take); // a link that is opened in the tab of this page
take();
