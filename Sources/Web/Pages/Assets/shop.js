// A shop: its products and a basket; for its owner, the goods for sale.

import { button, element, find, leave, part, renew, say, tell } from "./element.js";
import { field, onSubmit } from "./form.js";
import { minor, money, plain } from "./money.js";
import { all, ask, get, make, onceKey, send } from "./server.js";
import { signedIn } from "./visitor.js";

const id = location.pathname.split("/")[2];
const path = `/api/businesses/${id}`;
let shop, me, products = [];
const basket = new Map(); // product id → quantity
let key; // the order's key, kept until the basket changes, since the order's answer may be lost

async function load() {
  [shop, me, products] = await Promise.all([get(path), signedIn("to order."), all(`${path}/products`)]);
  document.title = `${shop.name} · Terroir`;
  find("name").textContent = shop.name;
  find("facts").textContent = [shop.category, shop.description].filter(Boolean).join(" · ");
  const isOwn = me?.id === shop.ownerId;
  find("selling").hidden = !isOwn;
  if (isOwn) part(import("./shopkeeping.js")).then(({ showShopkeeping }) => showShopkeeping?.(shop, load));
  renew(find("products"), ...products.map(isOwn ? offered : wanted));
  find("none").hidden = products.length > 0;
  if (me && !isOwn) {
    recall();
    orderForm();
    showBasket();
  }
}

const price = (product) => `${money(product.price)} per ${product.unit}`;
const stock = ({ stock }) => (stock == null ? "" : stock > 0 ? ` · ${stock} left` : " · sold out");

/** A product as a buyer sees it. */
function wanted(product) {
  const { name } = product;
  return element("li", {},
    element("span", {}, element("strong", {}, name), element("span", { class: "quiet" }, ` · ${price(product)}${stock(product)}`)),
    me && product.stock !== 0 && button("Add to basket", () => {
      change(product, (basket.get(product.id) ?? 0) + 1);
      tell(`${name}: ${basket.get(product.id)} in the basket`);
    }, { "aria-label": `Add ${name} to the basket` }));
}

/** The tab's storage of this user's basket: another user has another one. */
const slot = (what) => `${what} ${me.id} ${id}`;

function recall() {
  for (const [product, quantity] of JSON.parse(sessionStorage.getItem(slot("basket")) ?? "[]")) basket.set(product, quantity);
  key = sessionStorage.getItem(slot("order")) ?? newKey();
}

function newKey() {
  const fresh = onceKey();
  sessionStorage.setItem(slot("order"), fresh);
  return fresh;
}

function change(product, quantity) {
  if (quantity > 0) basket.set(product.id, quantity);
  else basket.delete(product.id);
  key = newKey();
  sessionStorage.setItem(slot("basket"), JSON.stringify([...basket]));
  showBasket();
}

const inBasket = () => products.filter((product) => basket.has(product.id));

function showBasket() {
  const lines = inBasket();
  const isHere = find("basket").contains(document.activeElement);
  renew(find("lines"), ...lines.map((product) => find(`line-${product.id}`) ?? line(product)));
  for (const product of lines) {
    const input = find(`quantity-${product.id}`);
    input.value = basket.get(product.id);
    input.removeAttribute("aria-invalid");
  }
  find("basket").hidden = lines.length === 0;
  if (isHere && lines.length === 0) find("products-title").focus();
  find("total").textContent = `Total: ${sums(lines).map(money).join(" and ")}`;
}

/** The total of the basket's products, per currency. */
function sums(products) {
  const sums = new Map();
  for (const { id: product, price: { amount, currency } } of products) sums.set(currency, (sums.get(currency) ?? 0) + amount * basket.get(product));
  return [...sums].map(([currency, amount]) => ({ amount, currency }));
}

function line(product) {
  const input = element("input", { type: "number", min: 0, id: `quantity-${product.id}`, "aria-label": `Quantity of ${product.name}` });
  input.addEventListener("change", () => change(product, Math.max(0, Math.floor(Number(input.value) || 0))));
  return element("li", { id: `line-${product.id}` }, element("span", {}, product.name), input,
    button("Remove", () => change(product, 0), { "aria-label": `Remove ${product.name}` }));
}

/** What a seller needs to know besides the products. */
function orderForm() {
  const form = find("order");
  if (form.childElementCount) return;
  form.append(
    field("Your name", { name: "contact.name", id: "contact-name", value: me.displayName, maxlength: 80, autocomplete: "name" }),
    field("Phone or other way to reach you", { name: "contact.phone", id: "contact-phone", maxlength: 40, autocomplete: "tel" }),
    ...(shop.fulfilment?.length ? [
      field("How you would like to get it", { name: "fulfilment.kind", id: "fulfilment-kind", value: shop.fulfilment[0] }, shop.fulfilment),
      field("Address, for delivery", { name: "fulfilment.address", id: "fulfilment-address", maxlength: 500, autocomplete: "street-address" }),
    ] : []),
    field("Note for the seller", { name: "note", id: "note", maxlength: 1_000 }),
    element("button", { type: "submit", class: "main" }, "Order"));
  onSubmit(form, async (values) => {
    // Orders only what is visible: products in the basket may no longer be for sale.
    const lines = inBasket().map((product) => ({ productId: product.id, quantity: basket.get(product.id) }));
    try {
      await place({ businessId: id, lines, ...values });
    } catch (error) {
      if (error.type?.endsWith(":price-changed")) {
        await showOffers();
        throw new Error(`Prices have changed. ${find("total").textContent}. Order again if you agree.`);
      }
      if (!error.type?.endsWith(":idempotency-key-reused")) throw named(error, lines);
      throw new Error("This basket has already been ordered: see your orders. To order again, change the basket.");
    }
    for (const what of ["basket", "order"]) sessionStorage.removeItem(slot(what));
    await leave("/orders");
  });
}

/** A refusal that names products in place of their lines' numbers; the quantities that it is about are marked. */
function named(error, lines) {
  for (const fault of error.errors ?? []) {
    const [, at, member] = fault.pointer.match(/^\/lines\/(\d+)\/(productId|quantity)$/) ?? [];
    if (!at) continue;
    const { productId } = lines[at];
    fault.pointer = `/${products.find(({ id }) => id === productId).name}`;
    if (member === "quantity") find(`quantity-${productId}`)?.setAttribute("aria-invalid", "true");
  }
  find("lines").querySelector("[aria-invalid]")?.focus();
  return error;
}

/** Places an order at the price shown, unless that is more than a page can count. */
async function place(order) {
  const [expectedTotal, other] = sums(inBasket());
  const once = { "Idempotency-Key": key };
  const post = (more) => send("POST", "/api/orders", { ...order, ...more }, once);
  if (other || !Number.isSafeInteger(expectedTotal?.amount)) return post();
  try {
    return await post({ expectedTotal });
  } catch (error) {
    // A server of the previous release, which runs beside this one for a while, does not know this member.
    if (!error.errors?.some(({ pointer }) => pointer === "/expectedTotal")) throw error;
    return post();
  }
}

/** Shows what is available now, and at what price. */
async function showOffers() {
  products = await all(`${path}/products`);
  renew(find("products"), ...products.map(wanted));
  showBasket();
}

/** A product as its seller sees it. */
function offered(product) {
  const form = element("form", { class: "row", "data-patch": "" },
    field("Price", { name: "price.amount", id: `price-${product.id}`, inputmode: "decimal", value: plain(product.price), size: 8 }),
    field("In stock", { name: "stock", id: `stock-${product.id}`, type: "number", min: 0, value: product.stock }),
    element("button", { type: "submit", "aria-label": `Save ${product.name}` }, "Save"),
    button("Delete", async () => {
      if (!confirm(`Delete ${product.name}?`)) return;
      await send("DELETE", `/api/products/${product.id}`);
      await load();
    }, { "aria-label": `Delete ${product.name}` }));
  onSubmit(form, async ({ price: typed, ...values }) => {
    const at = `/api/products/${product.id}`;
    if (typed) values.price = minor(typed.amount, product.price.currency);
    // Orders reduce the stock meanwhile: a number based on an old one would sell what is gone.
    const { answer: now, tag } = "stock" in values ? await ask("GET", at) : { answer: product };
    if (now.stock !== product.stock) {
      product = now;
      throw new Error(`The stock has changed meanwhile: it is ${now.stock ?? "unlimited"} now. Save again if your number is right.`);
    }
    product = await send("PATCH", at, values, tag ? { "If-Match": tag } : {});
    const { stock } = form.elements;
    stock.value = stock.defaultValue = product.stock ?? "";
    tell(`${product.name} is saved`);
  });
  return element("li", { id: `product-${product.id}` },
    element("span", {}, element("strong", {}, product.name), element("span", { class: "quiet" }, ` · sold by the ${product.unit}`)), form);
}

onSubmit(find("new-product"), async ({ price: typed, ...values }) => {
  await make(`${path}/products`, { ...values, price: minor(typed?.amount, typed?.currency?.trim().toUpperCase()) });
  find("new-product").reset();
  tell(`${values.name} is for sale`);
  await load();
  find("product-name").focus();
});

load().catch((error) => {
  if (error.status === 404) find("name").textContent = "No such shop";
  else say(error.message);
});
