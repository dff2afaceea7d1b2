// The devices of a garden: their order, names, after how long without a value each is silent, and when its soil is dry or wet.

const UNKNOWN_PATIENCE = 15 * 60_000;

let ids = []; // in the order of their making
let silence = []; // milliseconds
let limits = []; // of moisture, in percent
let names = new Map(); // for those alone who may know them

export function knowOrder({ devices, silentAfterSeconds, dryBelow, wetAbove }) {
  ids = devices;
  silence = silentAfterSeconds.map((seconds) => seconds * 1000);
  limits = dryBelow.map((dry, index) => ({ dry, wet: wetAbove[index] }));
}

export function knowNames(devices) {
  names = new Map(devices.map(({ id, name }) => [id, name]));
}

/** The place of a device among those in the history, after all of them for any other. */
export const place = (id) => (ids.includes(id) ? ids.indexOf(id) : ids.length);

export const patience = (id) => silence[place(id)] ?? UNKNOWN_PATIENCE;

/** Between which values a device's soil is neither dry nor wet; nothing for one that is not in the history. */
export const moisture = (id) => limits[place(id)];

export const called = (id) => names.get(id) ?? (ids.includes(id) ? `Sensor ${place(id) + 1}` : "A sensor");

export const known = () => ids;
