/** Runs `act` one round at a time; calls during a round, however many, cause one more. */
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
