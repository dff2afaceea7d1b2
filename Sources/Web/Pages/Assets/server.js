// Calls to this page's server. The browser adds the session's cookie.

const PATIENCE = 15_000;
const PAGES = 20; // of a list, at most
export const SIGN_IN = "/api/sessions/cookie";

/** The server's refusal, with the faults of the request. */
export class Refusal extends Error {
  constructor(status, { detail, title, type, errors = [] }) {
    super(detail ?? title ?? `The server answered ${status}.`);
    this.status = status;
    this.type = type;
    this.errors = errors;
  }
}

/** The page's session has ended, and the request needs one. */
export class SignedOut extends Refusal {
  constructor() {
    super(401, { detail: "You are no longer signed in." });
  }
}

export const get = (path) => send("GET", path);

/** The answer's JSON, or null if it has none; throws a `Refusal`. */
export const send = async (...request) => (await ask(...request)).answer;

/** The answer and its entity tag, which makes a change conditional on what was seen. */
export function ask(method, path, body, headers = {}) {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  return request(path, {
    method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE),
    headers: { ...headers, ...(body ? { "Content-Type": type } : {}) },
  }, async (response) => ({ answer: await json(response), tag: response.headers.get("ETag") }));
}

/** What `read` makes of the server's response; throws a `Refusal`, or an `Error` if no whole response comes. */
export async function request(path, options, read) {
  let response, content;
  try {
    response = await fetch(path, options);
    content = await (response.ok ? read : json)(response);
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (response.status === 401 && path !== SIGN_IN) throw new SignedOut();
  if (!response.ok) throw new Refusal(response.status, content ?? {});
  return content;
}

/** A response's JSON, or null if it has none, as a proxy's. */
async function json(response) {
  const text = await response.text();
  return /json/.test(response.headers.get("Content-Type") ?? "") && text ? JSON.parse(text) : null;
}

const unanswered = new Map(); // what was posted and not accepted yet → its key

/** Posts a request that makes something. Repeated because its answer was lost, it makes nothing more. */
export async function make(path, body) {
  const request = `${path} ${JSON.stringify(body)}`;
  if (!unanswered.has(request)) unanswered.set(request, onceKey());
  const answer = await send("POST", path, body, { "Idempotency-Key": unanswered.get(request) });
  unanswered.delete(request);
  return answer;
}

/** All items of a list, page by page; with `most`, at least that many and at most a page more. */
export async function all(path, most = Infinity) {
  const items = [];
  let cursor = null;
  for (let page = 0; page < PAGES; page++) {
    const mark = path.includes("?") ? "&" : "?";
    const answer = await get(`${path}${mark}limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    items.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor == null || items.length >= most) break;
  }
  return items;
}

/** The result of `promise`, or nothing if this server has no such thing or the session may not see it. */
export async function optional(promise) {
  try {
    return await promise;
  } catch (error) {
    if ([401, 403, 404].includes(error.status)) return null;
    throw error;
  }
}

/** A key that makes a repeated request count once. */
export function onceKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
