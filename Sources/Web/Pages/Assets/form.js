// Forms that are sent as JSON. A field's name is its path in the body: `location.latitude`.

import { begin, element, find, isChanged, told } from "./element.js";

/** Sends a form by `act(values)` and shows each fault beside its field. */
export function onSubmit(form, act) {
  const notice = element("p", { class: "notice", role: "alert", hidden: true });
  form.append(notice);
  form.noValidate = true; // the server checks, in its own words
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    begin();
    clear(form, notice);
    const changed = [...form.elements].filter((field) => field.name && isChanged(field)).map((field) => [field, field.value, field.checked]);
    try {
      await act(values(form));
      if ("patch" in form.dataset) changed.forEach(saved);
    } catch (error) {
      complain(form, notice, error);
    }
    form.ariaBusy = "false";
  });
}

/**
 * The values of a form, without empty fields. A form that changes something returns only the members that the user
 * changed, each whole, since its initial values may be outdated; there an empty field is null, which removes the value.
 */
function values(form) {
  const fields = [...form.elements].filter(({ name }) => name);
  const member = ({ name }) => name.split(".")[0];
  const wanted = new Set(("patch" in form.dataset ? fields.filter(isChanged) : fields).map(member));
  const body = {};
  for (const field of fields) {
    if (!wanted.has(member(field))) continue;
    const path = field.name.split(".");
    const last = path.pop();
    const value = "each" in field.dataset ? [...body[last] ?? [], ...field.checked ? [field.value] : []] : read(field, "patch" in form.dataset);
    if (value === undefined) continue;
    let place = body;
    for (const name of path) place = place[name] ??= {};
    place[last] = value;
  }
  return body;
}

function read(field, isPatch) {
  if (field.type === "checkbox") return field.checked;
  if (field.type === "radio" && !field.checked) return undefined;
  if (field.validity.badInput) return ""; // no number was typed: the server refuses "", and nothing is removed
  if (field.value === "") return isPatch ? null : undefined;
  return field.type === "number" ? Number(field.value) : field.value;
}

/** Makes the values that were sent the form's initial values. */
function saved([field, value, checked]) {
  if (field.options) for (const option of field.options) option.defaultSelected = option.value === value;
  else if (field.type === "checkbox") field.defaultChecked = checked;
  else field.defaultValue = value;
}

function clear(form, notice) {
  notice.hidden = true;
  for (const fault of form.querySelectorAll(".fault")) fault.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

function complain(form, notice, error) {
  const rest = [];
  for (const { pointer, detail } of error.errors ?? []) {
    const named = form.elements[pointer.slice(1).replaceAll("/", ".")];
    const field = named instanceof RadioNodeList ? named[0] : named;
    const words = detail === "must not be null" ? "is required" : detail; // an emptied field is sent as null
    if (!field?.id) {
      rest.push(`${pointer.slice(1)} ${words}`);
      continue;
    }
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", `${field.id}-fault`);
    const fault = element("small", { class: "fault", id: `${field.id}-fault` }, words);
    if (field === named) field.after(fault);
    else field.closest("fieldset").append(fault);
  }
  const first = form.querySelector("[aria-invalid]");
  notice.hidden = first != null && rest.length === 0;
  notice.replaceChildren(...rest.length ? [rest.join(". ")] : told(error));
  first?.focus();
}

/**
 * A field with its label: of several lines with `rows`, or a selection with `choices`, which may have labels of their
 * own.
 */
export function field(label, { value, ...attributes }, choices) {
  const input = choices
    ? element("select", attributes, ...(Array.isArray(choices) ? listed(choices, value) : Object.entries(choices))
      .map(([choice, words]) => element("option", { value: choice, selected: choice === value }, words)))
    : attributes.rows ? element("textarea", attributes, value) : element("input", { type: "text", ...attributes, value });
  return element("label", {}, element("span", {}, label), input);
}

const listed = (choices, value) => ["", ...choices].filter((choice) => choice || !value).map((choice) => [choice, choice || "–"]);

/** A field for a time zone, which offers those that the browser knows. */
export function zoneField(attributes) {
  if (!find("zones")) {
    const names = Intl.supportedValuesOf?.("timeZone") ?? [];
    document.body.append(element("datalist", { id: "zones" }, ...names.map((name) => element("option", { value: name }))));
  }
  return field("Time zone", { list: "zones", autocomplete: "off", ...attributes });
}

/** Boxes that become a list in the body; `id` is the prefix of their ids. */
export function several(legend, { name, id }, words, chosen) {
  return element("fieldset", {}, element("legend", {}, legend), ...Object.entries(words).map(([value, label]) => element("label", {},
    element("input", { type: "checkbox", name, value, id: `${id}-${value}`, "data-each": "", checked: chosen.includes(value) }), label)));
}
