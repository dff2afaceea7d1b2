// The signed-in user. Scripts cannot read the session's cookie: a marker beside it names its user.

import { element, find, isTyped, renewPage, wayToSignIn } from "./element.js";
import { get, optional, send, SIGN_IN } from "./server.js";

const MARK = "signed in";
// A browser that stores nothing for this site has no session either.
const store = (() => { try { return localStorage; } catch { return null; } })();
const marked = () => store?.getItem(MARK) ?? "";
let shown = marked(); // the user whose page this is
let typist = ""; // the last user whom the server recognised on this page, even if the session has ended since

/** The signed-in user, or null. */
export const profile = async () => (shown ? ask() : null);

async function ask() {
  const me = await optional(get("/api/users/me"));
  mark(me?.id);
  return me;
}

/** Marks a user, or "" for one who has signed out; nothing for a session that has ended by itself. */
function mark(id) {
  shown = id ?? "";
  if (id == null) return store?.removeItem(MARK);
  typist = id;
  store?.setItem(MARK, id);
}

/** Forgets that a user is signed in here. */
export const forget = () => mark("");

// Another user may have signed in, in another tab or while the browser had put this page away: show them nothing of it.
// Where the session has only ended, what is typed here waits for the same user.
const isEnded = () => store?.getItem(MARK) == null;
addEventListener("storage", () => marked() === shown || isEnded() || goesOn() || renewPage());
addEventListener("pageshow", () => marked() === shown || renewPage());

/** Goes on as the user who has typed something here and has signed in again; false for anyone else. */
function goesOn() {
  if (!typist || marked() !== typist || !isTyped()) return false;
  shown = typist;
  return true;
}

export async function signIn(email, password) {
  if (store) {
    await send("POST", SIGN_IN, { email, password });
    if (await ask()) return;
  }
  throw new Error("This browser did not keep the session. Allow cookies, and open the page over HTTPS, or on the server itself as http://localhost.");
}

/** Where to go after signing in: a path on this server, never another address. */
export function destination() {
  const wanted = new URLSearchParams(location.search).get("to");
  return wanted && new URL(wanted, location.href).origin === location.origin ? wanted : null;
}

/** The signed-in user; otherwise asks to sign in and returns null. */
export async function signedIn(purpose = "to see what is yours here.") {
  const me = await profile();
  const place = find("stranger");
  place.hidden = me != null;
  if (!me) {
    place.replaceChildren(element("p", {}, wayToSignIn(), " or ", wayToSignIn("/register", "register"), ` ${purpose}`));
  }
  return me;
}
