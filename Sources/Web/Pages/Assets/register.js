// Makes an account and signs in to it.

import { find, leave } from "./element.js";
import { onSubmit } from "./form.js";
import { make } from "./server.js";
import { destination, signIn } from "./visitor.js";

const wanted = destination();
const [, invitation] = wanted?.match(/^\/invitations\/(tiv_[^/]+)$/) ?? [];
let registered; // what the account was made of, which is not made again if only signing in has failed

onSubmit(find("register"), async (values) => {
  const account = JSON.stringify(values);
  if (account !== registered) await make("/api/users", { ...values, invitation });
  registered = account;
  await signIn(values.email, values.password);
  // Registering by an invitation accepts it.
  await leave(invitation ? "/" : wanted ?? "/");
});
