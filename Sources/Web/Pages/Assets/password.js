// Requests the mail for a new password, and sets the password with the mail's code. A link has the code behind its #,
// which browsers send to no server.

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
  // The code stays neither in the address nor in the browser's history.
  history.replaceState(null, "", location.pathname);
  choose(code);
}

addEventListener("hashchange", take); // a link opened in this page's tab
take();
