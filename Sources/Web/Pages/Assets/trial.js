// Calls an operation of the reference from its page, with a token: on this server, and without the session.

import { element } from "./element.js";
import { field } from "./form.js";

const LONGEST = 20_000; // characters of a response that are shown
const PATIENCE = 15_000;

let openAPI = null;
let token = ""; // for all operations, until the page is left

/** Adds a button to try an operation; its form is made on demand. */
export function addTrial(operation) {
  const trial = element("details", { class: "trial" }, element("summary", {}, "Try it"));
  trial.addEventListener("toggle", () => build(operation, trial).catch((error) => {
    trial.append(element("p", { role: "alert" }, `It cannot be tried: ${error.message}`));
  }), { once: true });
  operation.append(trial);
}

async function build(operation, trial) {
  openAPI ??= fetch("/openapi.json").then((response) => response.json());
  const [path, method, described] = find((await openAPI).paths, operation.id);
  const id = (name) => `${operation.id}-${name}`;
  const parameters = described.parameters ?? [];
  const inputs = parameters.map((parameter) => field(
    `${parameter.name}${parameter.required ? "" : ", optional"}`, { id: id(parameter.name), autocomplete: "off", spellcheck: "false" }));
  const [type, content] = Object.entries(described.requestBody?.content ?? {})[0] ?? [];
  const example = typeof content?.example === "string" ? content.example : JSON.stringify(content?.example, null, 2);
  const body = type && element("label", {}, element("span", {}, `Body, ${type}`),
    element("textarea", { id: id("body"), rows: Math.min(12, example.split("\n").length), spellcheck: "false" }, example));
  const bearer = field("Token, or a device's key", { id: id("authorization"), value: token, autocomplete: "off", spellcheck: "false" });
  const answer = element("div", { role: "status" });
  const form = element("form", { class: "fields" }, ...inputs, bearer, body, element("button", { type: "submit", class: "main" }, `Send ${method.toUpperCase()}`));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    token = bearer.lastElementChild.value.trim();
    const values = parameters.map((parameter, index) => [parameter, inputs[index].lastElementChild.value]);
    const request = { method: method.toUpperCase(), headers: headers(values, type), credentials: "omit", signal: AbortSignal.timeout(PATIENCE) };
    if (type) request.body = body.lastElementChild.value;
    try {
      answer.replaceChildren(...await told(await fetch(address(path, values), request)));
    } catch (error) {
      answer.replaceChildren(element("p", {}, `There was no answer: ${error.message}`));
    }
  });
  trial.append(form, answer);
}

function find(paths, name) {
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, described] of Object.entries(operations)) if (described.operationId === name) return [path, method, described];
  }
  throw new Error(`The document has no ${name}.`);
}

function address(path, values) {
  const query = new URLSearchParams();
  for (const [{ name, in: place }, value] of values) {
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    if (place === "query" && value) query.set(name, value);
  }
  return query.size ? `${path}?${query}` : path;
}

function headers(values, type) {
  const fields = new Headers();
  for (const [{ name, in: place }, value] of values) if (place === "header" && value) fields.set(name, value);
  if (token) fields.set("Authorization", `Bearer ${token}`);
  if (type) fields.set("Content-Type", type);
  return fields;
}

/** A response as it came: status, type and body. An endless one is cut off. */
async function told(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (chunks && text.length < LONGEST) {
    const { value, done } = await chunks.read();
    if (done) break;
    text += value;
    if (type.startsWith("text/event-stream")) break;
  }
  chunks?.cancel();
  if (/\bjson\b/.test(type) && text.length < LONGEST) text = JSON.stringify(JSON.parse(text), null, 2);
  return [
    element("p", {}, element("strong", {}, `${response.status} ${response.statusText}`), ` ${type}`),
    ...(text ? [element("pre", { tabindex: 0, "aria-label": "Answer" }, element("code", {}, text.slice(0, LONGEST)))] : []),
  ];
}
