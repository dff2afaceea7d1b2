/** Goes through `act` one round at a time: who calls meanwhile, be it often, has one more round follow. */
export function rounds(act) {
  let going = null, wanted = false;
  return function round() {
    wanted = going != null;
    return going ??= act().finally(() => {
      going = null;
      if (wanted) round();
    });
  };
}
