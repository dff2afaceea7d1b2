extension Timestamp {
  /// From here on a whole number counts milliseconds since 1970, below it seconds.
  private static let leastMilliseconds: Int64 = 100_000_000_000

  /// A moment as devices count it. What is far too old may come out a little less so.
  package init(unixTime time: Int64) {
    let least = Self.leastMilliseconds
    self.init(unixMilliseconds: time < least ? max(time, -least) * 1_000 : time)
  }
}
