// The devices of a garden: their order, names, and after how long without a value each is silent.

const UNKNOWN_PATIENCE = 15 * 60_000;

let ids = []; // in the order of their making
let silence = []; // milliseconds
let names = new Map(); // for those alone who may know them

export function knowOrder({ devices, silentAfterSeconds }) {
  ids = devices;
  silence = silentAfterSeconds.map((seconds) => seconds * 1000);
}

export function knowNames(devices) {
  names = new Map(devices.map(({ id, name }) => [id, name]));
}

/** The place of a device among those in the history, after all of them for any other. */
export const place = (id) => (ids.includes(id) ? ids.indexOf(id) : ids.length);

export const patience = (id) => silence[place(id)] ?? UNKNOWN_PATIENCE;

export const called = (id) => names.get(id) ?? (ids.includes(id) ? `Sensor ${place(id) + 1}` : "A sensor");

export const known = () => ids;
