extension Configuration {
  /// How long readings are kept.
  package struct Readings: Sendable {
    package internal(set) var rawDays = 0
    /// Whether days that are over are packed.
    package internal(set) var seals = false
    package internal(set) var fiveMinuteDays = 0

    static let settings = [
      Setting(
        "READINGS_RAW_DAYS", \.readings.rawDays, .integer(1...3_650), default: .text("730"),
        "How long single readings are kept."),
      Setting(
        "READINGS_SEALING", \.readings.seals, .flag, default: .text("on"),
        "Whether past days are packed into a few bytes for each reading."),
      Setting(
        "READINGS_FIVE_MINUTE_DAYS", \.readings.fiveMinuteDays, .integer(1...36_500), default: .text("365"),
        "How long buckets of five minutes are kept; hours are kept for ever."),
    ]
  }
}
