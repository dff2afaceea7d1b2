import Values

/// The times between which readings are accepted.
package struct ReadingWindow {
  /// How far a device's clock may be ahead, in milliseconds.
  package static let futureMilliseconds: Int64 = 5 * 60_000

  let now: Timestamp
  let oldest: Timestamp
  let newest: Timestamp

  init(now: Timestamp, rawDays: Int) {
    self.now = now
    oldest = now.advanced(byDays: -Int64(rawDays))
    newest = now.advanced(byMilliseconds: Self.futureMilliseconds)
  }
}
