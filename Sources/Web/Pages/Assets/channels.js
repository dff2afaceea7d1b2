// Where a user's news goes, when, and whether it arrived.

import { button, element, find, renew, tell } from "./element.js";
import { field, onSubmit, several, zoneField } from "./form.js";
import { reveal } from "./reveal.js";
import { all, get, make, optional, send } from "./server.js";
import { age, day, zone } from "./words.js";

const KINDS = { email: "Email", ntfy: "ntfy", webhook: "Webhook" };
const EVENTS = { insight: "Insights", device: "Silent devices", order: "Orders" };
const SEVERITIES = { info: "All of them", notice: "Notices and warnings", warning: "Warnings" };
const DIGESTS = { "": "As it happens", hourly: "Once an hour", daily: "Once a day" };
const OUTCOMES = { pending: "on its way", delivered: "arrived", expired: "given up", dropped: "dropped" };
const SENT = 20; // messages shown of a channel
const LOOKS = 20, PAUSE = 1_000; // polls for the result of a test message

/** Fills the section if the session may see channels; `done` is the channel just acted on. */
export async function showChannels(done) {
  const channels = await optional(all("/api/channels"));
  find("channels").hidden = channels == null;
  find(`channel-${done}`)?.remove(); // discards what is typed there
  renew(find("channel-list"), ...(channels ?? []).map(entry));
  if (channels && !find("new-channel").childElementCount) offerNew();
}

function entry(channel) {
  const { id, target, enabled, confirmed, failingSince, disabledBecause } = channel;
  const sent = element("ul", { class: "rows" });
  const deliveries = element("details", {}, element("summary", { "aria-label": `What was sent to ${target}` }, "What was sent"), sent);
  deliveries.addEventListener("toggle", () => deliveries.open && showDeliveries(id, sent));
  return element("li", { class: "card", id: `channel-${id}` },
    element("h3", {}, target), element("p", { class: "quiet" }, facts(channel)),
    !confirmed && confirming(channel),
    confirmed && !enabled && element("p", { class: "fault" }, disabledBecause ? `Switched off: ${disabledBecause}` : "Switched off"),
    enabled && failingSince && element("p", { class: "fault" }, `Nothing has arrived since ${day(Date.parse(failingSince))}`),
    element("div", { class: "row" },
      enabled && button("Test", () => test(channel, deliveries, sent), { "aria-label": `Test ${target}` }),
      confirmed && button(enabled ? "Switch off" : "Switch on", async () => {
        if (enabled && !confirm(`Switch ${target} off? Messages that wait for it will be dropped.`)) return;
        await send("PATCH", `/api/channels/${id}`, { enabled: !enabled });
        await again(id, `${target} is switched ${enabled ? "off" : "on"}`);
      }, { "aria-label": `${enabled ? "Switch off" : "Switch on"} ${target}` }),
      button("Remove", async () => {
        if (!confirm(`Remove ${target}? Messages that wait for it will be dropped.`)) return;
        await send("DELETE", `/api/channels/${id}`);
        await again(id, `${target} is removed`);
      }, { "aria-label": `Remove ${target}` })),
    element("details", {}, element("summary", { "aria-label": `Change ${target}` }, "Change"), changing(channel)),
    deliveries);
}

/** The owner of the address has to agree first. */
function confirming({ id, target }) {
  const form = element("form", { class: "fields" },
    element("p", {}, "A code was mailed to this address. Notifications follow once you enter it here."),
    field("Code from the mail", { name: "code", id: `${id}-code`, autocomplete: "one-time-code", required: "" }),
    element("button", { type: "submit", class: "main", "aria-label": `Confirm ${target}` }, "Confirm"));
  onSubmit(form, async (values) => {
    await send("POST", `/api/channels/${id}/confirmation`, values);
    await again(id, `${target} is confirmed`);
  });
  return form;
}

function facts({ kind, events, minimumSeverity, quietHours, digest }) {
  return [
    KINDS[kind], events.map((event) => told(event, minimumSeverity).toLowerCase()).join(", "),
    quietHours && `quiet from ${quietHours.from} to ${quietHours.to} (${quietHours.timeZone})`,
    digest && DIGESTS[digest].toLowerCase(),
  ].filter(Boolean).join(" · ");
}

const told = (event, severity) => (event === "insight" && severity !== "info" ? `${EVENTS.insight} (${SEVERITIES[severity]})` : EVENTS[event]);

/** Shows everything again, and restores the focus if its element is still there. */
async function again(id, words) {
  await showChannels(id);
  tell(words);
  (find(`channel-${id}`)?.querySelector("button") ?? find("channels-title")).focus();
}

async function showDeliveries(id, list) {
  const { items } = await get(`/api/channels/${id}/deliveries?limit=${SENT}`);
  list.replaceChildren(...items.map(({ title, status, attempts, fault, createdAt }) => element("li", {},
    element("span", {}, element("strong", {}, title), element("span", { class: `state ${status}` }, OUTCOMES[status]),
      element("span", { class: "quiet" }, ` · ${age(Date.parse(createdAt))}${attempts > 1 ? `, tried ${attempts} times` : ""}`),
      fault && status !== "delivered" && element("div", { class: "fault" }, fault)))));
  if (items.length === 0) list.append(element("li", { class: "quiet" }, "Nothing yet."));
  return items;
}

/** Sends a message, and polls until its fate is known, LOOKS times at most. */
async function test({ id, target }, deliveries, list) {
  const { id: message } = await send("POST", `/api/channels/${id}/test`);
  tell(`A message is on its way to ${target}`);
  deliveries.open = true;
  for (let look = 0; look < LOOKS; look++) {
    const sent = (await showDeliveries(id, list)).find((one) => one.id === message);
    if (sent?.status === "delivered") return tell(`The message has arrived at ${target}`);
    if (sent?.fault) return tell(`The message has not arrived: ${sent.fault}`);
    await new Promise((done) => { setTimeout(done, PAUSE); });
  }
}

function offerNew() {
  const form = element("form", { class: "fields", "aria-labelledby": "new-channel-title" },
    field("Send by", { name: "kind", id: "new-kind", value: "email" }, KINDS), ...fields("new", {}),
    element("button", { type: "submit", class: "main" }, "Add channel"));
  onSubmit(form, async (values) => {
    const { id, target, secret } = await make("/api/channels", settled(values));
    form.reset();
    try {
      await again(id, `${target} is added`);
    } finally {
      if (secret) reveal(find("secret"), `The secret that signs messages to ${target}.`, secret);
    }
  });
  find("new-channel").append(form);
}

function changing(channel) {
  const form = element("form", { class: "fields", "data-patch": "" }, ...fields(channel.id, channel),
    element("button", { type: "submit", "aria-label": `Save ${channel.target}` }, "Save"));
  onSubmit(form, async (values) => {
    const { id, target } = await send("PATCH", `/api/channels/${channel.id}`, settled(values));
    await again(id, `${target} is saved`);
  });
  return form;
}

/** The fields of a channel, new or existing. */
function fields(prefix, { target, events = Object.keys(EVENTS), minimumSeverity = "notice", quietHours, digest }) {
  return [
    field("Email address or URL", { name: "target", id: `${prefix}-target`, value: target, autocomplete: "off", maxlength: 2_048 }),
    several("Send me", { name: "events", id: prefix }, EVENTS, events),
    field("Which insights", { name: "minimumSeverity", id: `${prefix}-severity`, value: minimumSeverity }, SEVERITIES),
    field("When", { name: "digest", id: `${prefix}-digest`, value: digest ?? "" }, DIGESTS),
    field("Quiet from", { name: "quietHours.from", id: `${prefix}-from`, type: "time", value: quietHours?.from }),
    field("Quiet until", { name: "quietHours.to", id: `${prefix}-to`, type: "time", value: quietHours?.to }),
    zoneField({ name: "quietHours.timeZone", id: `${prefix}-zone`, value: quietHours?.timeZone ?? zone }),
  ];
}

/** A time zone alone makes no quiet hours. */
const settled = ({ quietHours, ...values }) => ({
  ...values, ...quietHours && { quietHours: quietHours.from != null || quietHours.to != null ? quietHours : null },
});
