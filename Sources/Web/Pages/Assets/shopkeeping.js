// A shop's settings: its name, how goods change hands, how long an order may stay unpaid; and its deletion.

import { button, element, find, leave, tell } from "./element.js";
import { field, onSubmit, several } from "./form.js";
import { send } from "./server.js";

const FULFILMENT = { pickup: "Pickup", delivery: "Delivery" };

/** Shows them once; `changed` is called when the page has something new to show. */
export function showShopkeeping(shop, changed) {
  const form = find("shop-settings");
  if (form.childElementCount) return;
  form.append(
    field("Name", { name: "name", id: "shop-name", value: shop.name, maxlength: 120 }),
    field("Kind, such as farm or bakery", { name: "category", id: "shop-category", value: shop.category, maxlength: 40 }),
    field("What it offers", { name: "description", id: "shop-description", value: shop.description, maxlength: 2_000, rows: 3 }),
    field("Hours in which an order has to be paid", { name: "paymentWithin", id: "shop-hours", type: "number", min: 1, value: shop.paymentWithin }),
    several("How buyers get their goods", { name: "fulfilment", id: "shop" }, FULFILMENT, shop.fulfilment),
    element("button", { type: "submit", class: "main" }, "Save"));
  form.after(button("Close this shop", async () => {
    if (!confirm(`Close ${shop.name} with its products?`)) return;
    await send("DELETE", `/api/businesses/${shop.id}`);
    await leave("/shops");
  }));
  onSubmit(form, async (values) => {
    await send("PATCH", `/api/businesses/${shop.id}`, values);
    tell("Saved");
    await changed();
  });
}
