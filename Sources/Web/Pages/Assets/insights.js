// Insights about gardens.

import { element } from "./element.js";
import { age } from "./words.js";

const MARKS = { info: "i", notice: "!", warning: "!" };
const KINDS = { info: "healthy", notice: "degraded", warning: "unhealthy" };

/** Lists insights; `names` are the gardens' names, if several are shown. */
export function showInsights(list, insights, names) {
  list.replaceChildren(...insights.map(({ gardenId, severity, title, text, createdAt }) => {
    const name = names?.get(gardenId);
    return element("li", { class: `card insight ${KINDS[severity]}` },
      element("span", { class: "mark", "aria-hidden": "true" }, MARKS[severity]),
      element("div", {},
        element("h3", {}, title),
        element("p", {}, text),
        element("p", { class: "quiet" }, name ? element("a", { href: `/gardens/${gardenId}` }, name) : "", name ? " · " : "",
          severity === "warning" ? "Warning · " : "", age(Date.parse(createdAt)))));
  }));
}
