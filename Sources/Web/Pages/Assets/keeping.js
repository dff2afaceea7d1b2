// What the keepers of a garden do: devices and their keys, who may see it, its name and place.

import { addCopy } from "./copy.js";
import { button, element, find, leave, renew, tell } from "./element.js";
import { field, onSubmit, zoneField } from "./form.js";
import { make, send } from "./server.js";
import { showMembers } from "./members.js";
import { snippets } from "./snippets.js";
import { age } from "./words.js";

const CHECKS = { watering: "Check watering", frost: "Check for frost", anomaly: "Check for anomalies", summary: "Summarise" };

/** Shows what the user's role allows; `changed` is called when the page has something new to show. */
export async function showKeeping(garden, devices, role, changed) {
  const section = find("keeping");
  const [edits, manages] = [role !== "viewer", ["manager", "owner"].includes(role)];
  if (!section.childElementCount) {
    section.append(
      ...edits ? [element("section", { "aria-labelledby": "devices-title" },
        element("h2", { id: "devices-title" }, "Devices"),
        element("ul", { class: "rows", id: "device-list" }),
        newDevice(garden, changed),
        element("div", { id: "key", tabindex: -1 }))] : [],
      ...edits ? [element("section", { "aria-labelledby": "garden-title" },
        element("h2", { id: "garden-title" }, "This garden"), manages && settings(garden, changed), asking(garden, role, changed))] : [],
      element("section", { id: "members", "aria-labelledby": "members-title", hidden: true }));
  }
  if (edits) showDevices(devices, manages, changed);
  if (find("members").hidden) await showMembers(find("members"), garden, role);
}

function showDevices(devices, manages, changed) {
  renew(find("device-list"), ...devices.map(({ id, name, online, lastSeenAt }) => element("li", {},
    element("span", {}, element("strong", {}, name), element("span", { class: "quiet" },
      lastSeenAt ? ` · ${online ? "online" : "silent"}, seen ${age(Date.parse(lastSeenAt))}` : " · has not reported yet")),
    button("New key", async () => {
      const { key } = await make(`/api/devices/${id}/key`);
      showKey(name, key, "The old key works for another 24 hours.");
    }, { "aria-label": `New key for ${name}` }),
    button("Rename", async () => {
      const wanted = prompt(`New name for ${name}`, name);
      if (!wanted || wanted === name) return;
      await send("PATCH", `/api/devices/${id}`, { name: wanted });
      changed();
    }, { "aria-label": `Rename ${name}` }),
    manages && button("Delete", async () => {
      if (!confirm(`Delete ${name} with all its readings?`)) return;
      await send("DELETE", `/api/devices/${id}`);
      tell(`${name} is deleted`);
      changed();
    }, { "aria-label": `Delete ${name}` }))));
}

function newDevice(garden, changed) {
  const form = element("form", { class: "row" }, field("Name of a new device", { name: "name", id: "device-name", maxlength: 120, autocomplete: "off" }),
    element("button", { type: "submit", class: "main" }, "Add device"));
  onSubmit(form, async ({ name }) => {
    const device = await make(`/api/gardens/${garden.id}/devices`, { name });
    form.reset();
    showKey(device.name, device.key, "");
    changed();
  });
  return form;
}

/** Shows a key, only this once, and how to use it. */
function showKey(name, key, note) {
  const place = find("key");
  place.replaceChildren(
    element("div", { class: "card" },
      element("h3", {}, `The key of ${name}`),
      element("p", {}, `It is shown only this once; the server keeps no copy. ${note}`),
      element("pre", { tabindex: 0, id: "key-text", "aria-label": "Key" }, element("code", {}, key)),
      ...snippets(location.origin, key).map(({ title, text }, index) => element("details", index ? {} : { open: true },
        element("summary", {}, title), element("pre", { tabindex: 0, "aria-label": title }, element("code", {}, text))))));
  for (const block of place.querySelectorAll("pre")) addCopy(block);
  place.focus();
}

function settings(garden, changed) {
  const form = element("form", { class: "fields", "data-patch": "" },
    field("Name", { name: "name", id: "garden-name", value: garden.name, maxlength: 120 }),
    field("Area in m²", { name: "areaSquareMetres", id: "garden-area", type: "number", min: 0, step: "any", value: garden.areaSquareMetres }),
    field("Latitude", { name: "location.latitude", id: "garden-latitude", type: "number", step: "any", value: garden.location?.latitude }),
    field("Longitude", { name: "location.longitude", id: "garden-longitude", type: "number", step: "any", value: garden.location?.longitude }),
    field("Soil", { name: "soil", id: "garden-soil", value: garden.soil }, ["sand", "sandy-loam", "loam", "clay-loam", "clay"]),
    field("Dry below, %", { name: "dryBelow", id: "garden-dry", type: "number", step: "any", value: garden.dryBelow }),
    field("Wet above, %", { name: "wetAbove", id: "garden-wet", type: "number", step: "any", value: garden.wetAbove }),
    zoneField({ name: "timeZone", id: "garden-zone", value: garden.timeZone }),
    element("label", { class: "check" }, element("input", { type: "checkbox", name: "public", id: "garden-public", checked: garden.public }),
      "Public: everyone can see its values, with numbers in place of the names of devices"),
    element("button", { type: "submit", class: "main" }, "Save"));
  onSubmit(form, async (values) => {
    // A place is sent whole or not at all.
    if (values.location && Object.values(values.location).every((value) => value == null)) values.location = null;
    const { name } = await send("PATCH", `/api/gardens/${garden.id}`, values);
    document.querySelector("h1").textContent = name;
    tell("Saved");
    changed();
  });
  return form;
}

/** Runs the rules now, and lets the owner delete the garden. */
function asking(garden, role, changed) {
  const ask = Object.entries(CHECKS).map(([type, words]) => button(words, async () => {
    const { title } = await send("POST", `/api/gardens/${garden.id}/insights`, { type });
    tell(title);
    changed();
  }));
  const end = role === "owner" && button("Delete this garden", async () => {
    if (!confirm(`Delete ${garden.name} with its devices, readings and insights?`)) return;
    await send("DELETE", `/api/gardens/${garden.id}`);
    await leave("/");
  });
  return element("div", { class: "row" }, ...ask, end);
}
