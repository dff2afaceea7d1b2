// Who looks at a page. The session's cookie is no script's to read: a mark beside it says whether it is worth asking.

import { element, find } from "./element.js";
import { get, optional, send } from "./server.js";

const MARK = "signed in";

/** Who is signed in, or null. */
export async function profile() {
  if (!localStorage.getItem(MARK)) return null;
  const me = await optional(get("/api/users/me"));
  if (!me) localStorage.removeItem(MARK);
  return me;
}

export async function signIn(email, password) {
  await send("POST", "/api/sessions/cookie", { email, password });
  localStorage.setItem(MARK, "yes");
  if (await profile()) return;
  throw new Error("This browser keeps no session here. Open the page over HTTPS, or on the server itself as http://localhost.");
}

/** Where whoever signs in wants to go: a path of this server's, and no other's address. */
export function destination() {
  const wanted = new URLSearchParams(location.search).get("to");
  return wanted && new URL(wanted, location.href).origin === location.origin ? wanted : null;
}

/** Forgets that somebody is signed in here. */
export const forget = () => localStorage.removeItem(MARK);

/** Who is signed in, or null once the page has asked to sign in for it. */
export async function signedIn(purpose = "to see what is yours here.") {
  const me = await profile();
  const place = find("stranger");
  place.hidden = me != null;
  if (!me) {
    const way = (path, words) => element("a", { href: `${path}?to=${encodeURIComponent(location.pathname)}` }, words);
    place.replaceChildren(element("p", {}, way("/", "Sign in"), " or ", way("/register", "register"), ` ${purpose}`));
  }
  return me;
}
