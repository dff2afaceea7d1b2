// Accepts an invitation to a garden.

import { find, say } from "./element.js";
import { send } from "./server.js";
import { signedIn } from "./visitor.js";

find("accept").addEventListener("click", async () => {
  try {
    const { gardenId } = await send("POST", `/api${location.pathname}`);
    location.assign(`/gardens/${gardenId}`);
  } catch (error) {
    say(error.message);
  }
});

signedIn("to accept it.").then((me) => { find("offer").hidden = me == null; }, (error) => say(error.message));
