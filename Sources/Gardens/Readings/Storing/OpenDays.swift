import Values

/// The days whose readings go to their partitions. Readings of the days before are late, and these days may be sealed.
package enum OpenDays {
  /// How many days after its end a day may be sealed; until then all its readings go to its partition.
  private static let grace: Int64 = 1
  /// The second half of the lock that storing late readings takes as shared, and sealing alone: "seal" in ASCII.
  static let orderKey: Int32 = 0x7365_616C

  /// The start of the first open day at a moment: that of the day before.
  package static func start(at now: Timestamp) -> Timestamp {
    CivilDate(now).advanced(byDays: -grace).start
  }
}
