// Accepts an invitation to a garden.

import { find, leave, onClick, say } from "./element.js";
import { make } from "./server.js";
import { signedIn } from "./visitor.js";

onClick(find("accept"), async () => {
  const { gardenId } = await make(`/api${location.pathname}`);
  await leave(`/gardens/${gardenId}`);
});

signedIn("to accept it.").then((me) => { find("offer").hidden = me == null; }, (error) => say(error.message));
