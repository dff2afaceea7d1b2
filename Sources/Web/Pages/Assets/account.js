// The account: name and password, sessions, tokens for programs, where news goes, and deletion.

import { showChannels } from "./channels.js";
import { button, element, find, leave, onClick, renew, say, tell } from "./element.js";
import { onSubmit } from "./form.js";
import { reveal } from "./reveal.js";
import { all, make, optional, send, SignedOut } from "./server.js";
import { forget, signedIn } from "./visitor.js";
import { age, day } from "./words.js";

async function load() {
  const me = await signedIn();
  if (!me) return;
  find("account").hidden = false;
  find("who").textContent = `Signed in as ${me.email}`;
  find("email").value = me.email;
  find("name").defaultValue = me.displayName;
  await Promise.all([showSessions(), showTokens(), showChannels()]);
}

/** A list row with its actions. */
const row = (name, facts, ...buttons) => element("li", {},
  element("span", {}, element("strong", {}, name), element("span", { class: "quiet" }, ` · ${facts}`)), ...buttons);

async function showSessions() {
  const sessions = await all("/api/sessions");
  renew(find("sessions"), ...sessions.map(({ id, userAgent, clientAddress, lastUsedAt, current }) => {
    const name = current ? "This browser" : (userAgent ?? "A program").slice(0, 60);
    return row(name, `${clientAddress}, used ${age(Date.parse(lastUsedAt))}`, !current && button("End", async () => {
      await send("DELETE", `/api/sessions/${id}`);
      await showSessions();
      tell("The session has ended");
    }, { "aria-label": `End ${name}, ${clientAddress}` }));
  }));
}

async function showTokens() {
  const tokens = await optional(all("/api/tokens"));
  find("tokens").hidden = tokens == null;
  renew(find("token-list"), ...(tokens ?? []).map(({ id, name, scopes, lastUsedAt, expiresAt }) => row(
    name, [scopes.join(", "), lastUsedAt ? `used ${age(Date.parse(lastUsedAt))}` : "never used", expiresAt && `until ${day(Date.parse(expiresAt))}`].filter(Boolean).join(", "),
    button("Revoke", async () => {
      if (!confirm(`Revoke ${name}? Programs that use it will be refused from now on.`)) return;
      await send("DELETE", `/api/tokens/${id}`);
      await showTokens();
      tell(`${name} is revoked`);
    }, { "aria-label": `Revoke ${name}` }))));
}

onClick(find("sign-out"), async () => {
  await send("DELETE", "/api/sessions/current").catch((error) => {
    if (!(error instanceof SignedOut)) throw error; // the session has ended already
  });
  forget();
  await leave("/");
});

onSubmit(find("rename"), async (values) => {
  await send("PATCH", "/api/users/me", values);
  tell("Saved");
});

onSubmit(find("change-password"), async ({ currentPassword = null, password = null }) => {
  await send("PATCH", "/api/users/me", { currentPassword, password });
  find("change-password").reset();
  tell("Your password is changed, and you are signed out everywhere else");
  await showSessions();
});

/** The end of the day `days` from now, so that a retry on the same day sends the same request. */
const inDays = (days) => new Date(new Date().setHours(24 * (days + 1), 0, 0, 0)).toISOString();

onSubmit(find("new-token"), async ({ name }) => {
  const days = Number(find("token-days").value);
  const { token } = await make("/api/tokens", {
    name, scopes: find("token-scope").value.split(" "), expiresAt: days ? inDays(days) : undefined,
  });
  find("new-token").reset();
  try {
    await showTokens();
  } finally {
    reveal(find("token"), `The token for ${name}.`, token); // even if the list does not come: it is shown only now
  }
});

onSubmit(find("erase"), async (values) => {
  if (!confirm("Erase your account and everything you own?")) return;
  await send("DELETE", "/api/users/me", values);
  forget();
  await leave("/");
});

load().catch((error) => say(error.message));
