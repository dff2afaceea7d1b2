extension Timestamp {
  /// From this number on, a whole number counts milliseconds since 1970; below it, seconds.
  private static let leastMilliseconds: Int64 = 100_000_000_000

  /// Reads a moment in seconds or milliseconds, as devices count it. Seconds further before 1970 than
  /// `leastMilliseconds` are cut to that.
  package init(unixTime time: Int64) {
    let least = Self.leastMilliseconds
    self.init(unixMilliseconds: time < least ? max(time, -least) * 1_000 : time)
  }
}
