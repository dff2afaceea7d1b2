// Makes an account and signs in to it.

import { find, leave } from "./element.js";
import { onSubmit } from "./form.js";
import { send } from "./server.js";
import { destination, signIn } from "./visitor.js";

const wanted = destination();
const [, invitation] = wanted?.match(/^\/invitations\/(tiv_[^/]+)$/) ?? [];

onSubmit(find("register"), async (values) => {
  await send("POST", "/api/users", { ...values, invitation });
  await signIn(values.email, values.password);
  // Registering by an invitation accepts it.
  await leave(invitation ? "/" : wanted ?? "/");
});
