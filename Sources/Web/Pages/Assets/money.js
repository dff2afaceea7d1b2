// Money: whole minor units of a currency, as the server counts it.

import { Refusal } from "./server.js";

// Decimal digits, where there are not two (ISO 4217). Browsers follow custom instead, which leaves some out.
const DIGITS = Object.entries({
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 3: "BHD IQD JOD KWD LYD OMR TND", 4: "CLF UYW",
});

const digits = (currency) => Number(DIGITS.find(([, currencies]) => currencies.split(" ").includes(currency))?.[0] ?? 2);

/** An amount as people write it. */
export function money({ amount, currency }) {
  const places = digits(currency);
  return (amount / 10 ** places).toLocaleString("en", {
    style: "currency", currency, minimumFractionDigits: places, maximumFractionDigits: places,
  });
}

/** Parses what was typed, with a point or a comma, into minor units; throws a `Refusal` if it is not such a number. */
export function minor(typed, currency) {
  const places = digits(currency);
  const refused = (detail) => new Refusal(422, { errors: [{ pointer: "/price/amount", detail }] });
  if (!new RegExp(`^\\s*\\d+([.,]\\d{0,${places}})?\\s*$`).test(typed ?? "")) {
    throw refused(`must be a number such as ${plain({ amount: 350, currency })}`);
  }
  const amount = Math.round(Number(typed.replace(",", ".")) * 10 ** places);
  if (!Number.isSafeInteger(amount)) throw refused("is too large");
  return { amount, currency };
}

/** An amount as it is typed. */
export function plain({ amount, currency }) {
  return (amount / 10 ** digits(currency)).toFixed(digits(currency));
}
