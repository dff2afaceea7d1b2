// Makes an account and signs in to it.

import { find } from "./element.js";
import { onSubmit } from "./form.js";
import { send } from "./server.js";
import { destination, signIn } from "./visitor.js";

onSubmit(find("register"), async (values) => {
  await send("POST", "/api/users", values);
  await signIn(values.email, values.password);
  location.assign(destination() ?? "/");
});
