import Values

/// The days whose readings go to their partitions: what was measured before them is late, and its days may be sealed.
package enum OpenDays {
  /// How many days after its end a day may be sealed; until then everything of it goes to its partition.
  private static let grace: Int64 = 1
  /// The second half of the lock under which late readings are stored, shared, and days sealed: "seal" in ASCII.
  static let orderKey: Int32 = 0x7365_616C

  /// The start of the first of them at a moment: that of the day before.
  package static func start(at now: Timestamp) -> Timestamp {
    CivilDate(now).advanced(byDays: -grace).start
  }
}
