// The devices of a garden: order, names, how long each may be silent, and when its soil is dry or wet.

const UNKNOWN_PATIENCE = 15 * 60_000;

let ids = []; // in order of creation
let silence = []; // milliseconds
let limits = []; // of moisture, in percent
let names = new Map(); // only for those who may know them

export function knowOrder({ devices, silentAfterSeconds, dryBelow, wetAbove }) {
  ids = devices;
  silence = silentAfterSeconds.map((seconds) => seconds * 1000);
  limits = dryBelow.map((dry, index) => ({ dry, wet: wetAbove[index] }));
}

export function knowNames(devices) {
  names = new Map(devices.map(({ id, name }) => [id, name]));
}

/** A device's position among those in the history; after all of them for any other. */
export const place = (id) => (ids.includes(id) ? ids.indexOf(id) : ids.length);

export const patience = (id) => silence[place(id)] ?? UNKNOWN_PATIENCE;

/** The values between which a device's soil is neither dry nor wet; nothing for a device that is not in the history. */
export const moisture = (id) => limits[place(id)];

export const called = (id) => names.get(id) ?? (ids.includes(id) ? `Sensor ${place(id) + 1}` : "A sensor");

export const known = () => ids;
