// Who shares a garden, and invitations to it.

import { button, element, tell } from "./element.js";
import { field, onSubmit } from "./form.js";
import { all, optional, send } from "./server.js";

const ROLES = ["viewer", "editor", "manager"];

/** Fills the section where this server and the garden let one see its members. */
export async function showMembers(section, garden) {
  const path = `/api/gardens/${garden.id}/members`;
  const members = await optional(all(path));
  if (!members) return;
  const again = () => showMembers(section, garden);
  const form = element("form", { class: "row" },
    field("Email address", { name: "email", id: "member-email", type: "email" }),
    field("Role", { name: "role", id: "member-role", value: "viewer" }, ROLES),
    element("button", { type: "submit" }, "Invite"));
  onSubmit(form, async (values) => {
    const { token } = await send("POST", path, values);
    tell(`${values.email} is invited`);
    await again();
    if (token) section.append(element("p", { class: "card" }, "Send them this link: ", element("code", {}, `${location.origin}/invitations/${token}`)));
  });
  section.replaceChildren(element("h2", { id: "members-title" }, "Members"),
    element("ul", { class: "rows" }, ...members.map(({ id, email, displayName, role, userId }) => element("li", {},
      element("span", {}, element("strong", {}, displayName ?? email), ` · ${role}${userId == null ? " · invited" : ""}`),
      button("Remove", async () => {
        await send("DELETE", `${path}/${id}`);
        await again();
      }, { "aria-label": `Remove ${displayName ?? email}` })))),
    form);
  section.hidden = false;
}
