// The members of a garden, their roles, and invitations to it.

import { button, element, find, leave, renew, tell } from "./element.js";
import { field, onSubmit } from "./form.js";
import { reveal } from "./reveal.js";
import { all, make, optional, send } from "./server.js";
import { profile } from "./visitor.js";
import { day } from "./words.js";

const ROLES = { viewer: "Viewer", editor: "Editor", manager: "Manager" };
const OWNER = { owner: "Owner" };
const KEYS_STAY = " Keys of devices that they know stay valid until 24 hours after you have made new ones.";

/** Fills the section for members; `mine` is the user's own role in the garden. */
export async function showMembers(section, garden, mine) {
  const path = `/api/gardens/${garden.id}/members`;
  const manages = mine === "owner" || mine === "manager";
  const list = element("ul", { class: "rows" });
  const me = await profile();
  if (!await show()) return;
  section.append(element("h2", { id: "members-title", tabindex: -1 }, "Members"),
    element("p", { class: "quiet" }, "Viewers see everything in the garden. Editors also add and change devices. Managers also change the garden and its members."),
    list, ...manages ? [invitation(), element("div", { tabindex: -1 })] : []);
  section.hidden = false;

  async function show(done) {
    const members = await optional(all(path));
    find(`member-${done}`)?.remove(); // discards what is chosen there
    if (members) renew(list, ...members.map(entry), ...members.length ? [] : [element("li", { class: "quiet" }, "Nobody yet.")]);
    return members;
  }

  function entry(member) {
    const name = member.displayName ?? member.email ?? "Somebody";
    const isOneself = member.userId === me?.id;
    const end = button(isOneself ? "Leave" : "Remove", async () => {
      if (!confirm(isOneself ? `Leave ${garden.name}?` : `Remove ${name}?${member.userId ? KEYS_STAY : ""}`)) return;
      await send("DELETE", `${path}/${member.id}`);
      if (isOneself) await leave("/");
      else await again(`${name} is removed`, member.id);
    }, { "aria-label": isOneself ? `Leave ${garden.name}` : `Remove ${name}` });
    return element("li", { id: `member-${member.id}` },
      element("span", {}, element("strong", {}, isOneself ? `${name} (you)` : name), element("span", { class: "quiet" }, ` · ${state(member)}`)),
      manages && !isOneself ? roleForm(member, name, path, mine, again, end) : isOneself && end);
  }

  async function again(words, id) {
    await show(id);
    tell(words);
    section.querySelector("h2").focus();
  }

  function invitation() {
    const form = element("form", { class: "row" },
      field("Email address", { name: "email", id: "member-email", type: "email", autocomplete: "off" }),
      field("Role", { name: "role", id: "member-role", value: "viewer" }, ROLES),
      element("button", { type: "submit", class: "main" }, "Invite"));
    onSubmit(form, async (values) => {
      const { token } = await make(path, values);
      form.reset();
      try {
        await again(`${values.email} is invited`);
      } finally {
        reveal(section.lastElementChild, `The link for ${values.email}, valid for 14 days.`, `${location.origin}/invitations/${token}`);
      }
    });
    return form;
  }
}

const state = ({ role, userId, expiresAt }) => (userId ? ROLES[role].toLowerCase() : `invited as ${role} until ${day(Date.parse(expiresAt))}`);

/** Chooses another role; the owner may hand the garden over to a member who has accepted. */
function roleForm({ id, role, userId }, name, path, mine, again, end) {
  const form = element("form", { class: "row" },
    field("Role", { name: "role", id: `role-${id}`, value: role, "aria-label": `Role of ${name}` }, { ...ROLES, ...mine === "owner" && userId ? OWNER : {} }),
    element("button", { type: "submit", "aria-label": `Save the role of ${name}` }, "Save"), end);
  onSubmit(form, async (values) => {
    if (values.role === "owner" && !confirm(`Hand the garden over to ${name}? You stay on as a manager.`)) return;
    await send("PATCH", `${path}/${id}`, values);
    if (values.role === "owner") location.reload();
    else await again(`${name} now has the role ${values.role}`, id);
  });
  return form;
}
