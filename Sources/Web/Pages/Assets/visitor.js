// Who looks at a page. The session's cookie is no script's to read: a mark beside it says whose it is, if anybody's.

import { element, find, renewPage, wayToSignIn } from "./element.js";
import { get, optional, send, SIGN_IN } from "./server.js";

const MARK = "signed in";
// Where the browser keeps nothing for this site it keeps no session either: there is nobody.
const store = (() => { try { return localStorage; } catch { return null; } })();
const marked = () => store?.getItem(MARK) ?? "";
let shown = marked(); // whose page this is

/** Who is signed in, or null. */
export const profile = async () => (shown ? ask() : null);

async function ask() {
  const me = await optional(get("/api/users/me"));
  mark(me?.id ?? "");
  return me;
}

function mark(id) {
  shown = id;
  if (id) store?.setItem(MARK, id);
  else store?.removeItem(MARK);
}

/** Forgets that somebody is signed in here. */
export const forget = () => mark("");

// In another tab, or since the browser has put this page away, somebody else may have come: nothing of it is theirs.
for (const event of ["storage", "pageshow"]) addEventListener(event, () => marked() === shown || renewPage());

export async function signIn(email, password) {
  if (store) {
    await send("POST", SIGN_IN, { email, password });
    if (await ask()) return;
  }
  throw new Error("This browser keeps no session here. Let it keep cookies, and open the page over HTTPS, or on the server itself as http://localhost.");
}

/** Where whoever signs in wants to go: a path of this server's, and no other's address. */
export function destination() {
  const wanted = new URLSearchParams(location.search).get("to");
  return wanted && new URL(wanted, location.href).origin === location.origin ? wanted : null;
}

/** Who is signed in, or null once the page has asked to sign in for it. */
export async function signedIn(purpose = "to see what is yours here.") {
  const me = await profile();
  const place = find("stranger");
  place.hidden = me != null;
  if (!me) {
    place.replaceChildren(element("p", {}, wayToSignIn(), " or ", wayToSignIn("/register", "register"), ` ${purpose}`));
  }
  return me;
}
