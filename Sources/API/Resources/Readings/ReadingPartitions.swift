import Postgres
import Values

/// The partitions of raw readings, one for each day in UTC: made ahead of time, and dropped when their time is over.
///
/// Functions of the database do both (`Migration.partitionFunctions`): the server's own role may change no table.
struct ReadingPartitions {
  /// How many days ahead partitions are made: so long the duties may fail before readings do.
  static let daysAhead: Int64 = 7
  /// How much longer than raw readings a partition is kept, in milliseconds: what was just taken must find its place.
  static let marginMilliseconds: Int64 = 3_600_000

  let rawDays: Int
  let now: () -> Timestamp

  var making: Duty {
    Duty(
      name: "readings.partitions.make", intervalSeconds: 3_600, timeoutMilliseconds: 60_000,
      run: { transaction in
        try await make(transaction)
        return false
      }, precedesServing: true)
  }

  var dropping: Duty {
    Duty(name: "readings.partitions.drop", intervalSeconds: 600, timeoutMilliseconds: 60_000) { transaction in
      try await drop(transaction)
      return false
    }
  }

  /// The days that readings may be of, now and in the next days.
  var days: ClosedRange<CivilDate> {
    let oldest = now().advanced(byMilliseconds: -Int64(rawDays) * 86_400_000 - Self.marginMilliseconds)
    return CivilDate(oldest)...CivilDate(now()).advanced(byDays: Self.daysAhead)
  }

  /// Makes those partitions that are missing.
  ///
  func make(_ transaction: Transaction) async throws {
    let existing = Set(try await existing(transaction))
    var script = ""
    var day = days.lowerBound
    while day <= days.upperBound {
      if !existing.contains(day) { script += "SELECT readings_partition_make('\(day)');\n" }
      day = day.advanced(byDays: 1)
    }
    if !script.isEmpty { try await transaction.script(script, name: "readings.partitions.make") }
  }

  /// Drops those partitions whose readings are all past their time.
  ///
  /// For a moment nobody may read or write readings. If that moment does not come soon, for example because of a long
  /// export, the next run tries again rather than have everybody wait.
  func drop(_ transaction: Transaction) async throws {
    let past = try await existing(transaction).filter { $0 < days.lowerBound }
    if past.isEmpty { return }
    let drops = past.map { "SELECT readings_partition_drop('\($0)');" }.joined(separator: "\n")
    try await transaction.script("SET LOCAL lock_timeout = '200ms';\n\(drops)", name: "readings.partitions.drop")
  }

  private func existing(_ transaction: Transaction) async throws -> [CivilDate] {
    var days: [CivilDate] = []
    for row in try await transaction.query(Self.list) {
      if let day = Self.day(of: try row.decode(String.self, 0)) { days.append(day) }
    }
    return days
  }

  private static let prefix = "readings_"

  /// `readings_20261121`, as the database's functions name it.
  static func table(of day: CivilDate) -> String { prefix + day.description.filter { $0 != "-" } }

  /// The day of a partition's name; nil for a table that the server has not made.
  static func day(of table: String) -> CivilDate? {
    let digits = table.dropFirst(prefix.count)
    guard table.hasPrefix(prefix), digits.count == 8, let number = Int64(digits) else { return nil }
    return CivilDate(year: number / 10_000, month: number / 100 % 100, day: number % 100)
  }

  private static let list = Statement(
    "readings.partitions",
    """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'readings'::regclass ORDER BY c.relname
    """)
}
