// Money: whole minor units of a currency, as the server counts it.

const digits = (currency) =>
  new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;

/** As people write it. */
export function money({ amount, currency }) {
  return (amount / 10 ** digits(currency)).toLocaleString("en", { style: "currency", currency });
}

/** What was typed, as minor units; the server judges what is no number. */
export function minor(typed, currency) {
  return { amount: Math.round(Number(typed || NaN) * 10 ** digits(currency)), currency };
}

/** As it is typed. */
export function plain({ amount, currency }) {
  return (amount / 10 ** digits(currency)).toFixed(digits(currency));
}
