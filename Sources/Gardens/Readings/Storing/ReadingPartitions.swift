import Postgres
import Telemetry
import Values
import Web

/// The partitions of raw readings, one for each day in UTC: made ahead of time, and dropped when their time is over.
///
/// Functions of the database do both (`Migration.partitionFunctions`), since the server's own role may change no table.
package struct ReadingPartitions {
  /// How many days ahead partitions are made: for so long the duty may fail before storing does.
  static let daysAhead: Int64 = 7
  /// How long a drop waits for statements that read or write readings, in milliseconds: all later ones wait behind it.
  static let dropPatienceMilliseconds = 200

  let retention: Retention
  let logger: Logger

  var making: Duty {
    Duty(
      name: "readings.partitions.make", intervalSeconds: 3_600, timeoutMilliseconds: 60_000,
      run: { transaction in
        try await make(days(at: try await Retention.databaseNow(transaction)), transaction)
        return false
      }, mustPrecedeServing: areMissing)
  }

  var dropping: Duty {
    var dropped: [CivilDate] = []
    return Duty(
      name: "readings.partitions.drop", intervalSeconds: Retention.intervalSeconds, timeoutMilliseconds: 60_000,
      run: { transaction in
        dropped = try await drop(transaction)
        return false
      },
      onCommit: {
        for day in dropped { logger.log(.info, "Dropped a day of raw readings") { $0.field("day", day.description) } }
        dropped = []
      })
  }

  /// The days that need partitions at a moment: those of readings that come in time, and the days ahead. Late readings
  /// are not kept there (`LateReadings`).
  package func days(at now: Timestamp) -> [CivilDate] {
    let (first, last) = (CivilDate(OpenDays.start(at: now)), CivilDate(now).advanced(byDays: Self.daysAhead))
    return (0...last.daysSinceEpoch - first.daysSinceEpoch).map { first.advanced(byDays: $0) }
  }

  /// Whether a day for which readings may come now lacks its partition. At most starts none does, and then no lock is
  /// waited for, nor a connection for transactions made.
  private func areMissing(in database: Database) async throws -> Bool {
    let rows = try await database.query(Self.list)
    guard let now = try rows.first?.decode(Timestamp.self, 1) else { return true }
    return try !Set(Self.days(rows)).isSuperset(of: days(at: now))
  }

  /// Makes the partitions that readings of these times lack, whatever day it is by the database's clock.
  func make(for times: [Timestamp], in database: Database) async throws {
    let days = Set(times.map { CivilDate($0).daysSinceEpoch }).map { CivilDate(daysSinceEpoch: $0) }
    try await database.transaction { try await make(days, $0) }
  }

  /// Makes the missing partitions of some days, one transaction at a time.
  package func make(_ days: [CivilDate], _ transaction: Transaction) async throws {
    try await making.lock(in: transaction)
    let existing = Set(try await Self.existing(transaction))
    var script = ""
    for day in days where !existing.contains(day) { script += "SELECT readings_partition_make('\(day)');\n" }
    if !script.isEmpty { try await transaction.script(script, name: "readings.partitions.make") }
  }

  /// Drops the oldest of those partitions whose readings are all past their time, and returns their days. Throws
  /// `Retention.ClocksDiffer` rather than believe a clock that is wrong.
  ///
  /// For a moment no statement may read or write readings. If that moment does not come soon, for example because of a
  /// long export, the next run tries again rather than make everyone wait.
  func drop(_ transaction: Transaction) async throws -> [CivilDate] {
    let firstDay = try await retention.firstDay(transaction)
    // In the order of their names, which is that of their days.
    let past = try await Self.existing(transaction).filter { $0 < firstDay }.prefix(Int(Retention.daysAtATime))
    if past.isEmpty { return [] }
    let drops = past.map { "SELECT readings_partition_drop('\($0)');" }.joined(separator: "\n")
    try await transaction.limitLocks(milliseconds: Self.dropPatienceMilliseconds)
    try await transaction.script(drops, name: "readings.partitions.drop")
    return Array(past)
  }

  /// The days that have partitions, ascending.
  static func existing(_ transaction: Transaction) async throws -> [CivilDate] {
    try days(try await transaction.query(list))
  }

  private static func days(_ rows: Rows) throws -> [CivilDate] {
    try rows.compactMap { day(of: try $0.decode(String.self, 0)) }
  }

  private static let prefix = "readings_"

  /// `readings_20261121`, as the database's functions name it.
  static func table(of day: CivilDate) -> String { prefix + day.description.filter { $0 != "-" } }

  /// The day of a partition, by its name; nil for a table that the server has not made.
  static func day(of table: String) -> CivilDate? {
    let digits = table.dropFirst(prefix.count)
    guard table.hasPrefix(prefix), digits.count == 8, let number = Int64(digits) else { return nil }
    return CivilDate(year: number / 10_000, month: number / 100 % 100, day: number % 100)
  }

  private static let list = Statement(
    "readings.partitions",
    """
    SELECT c.relname, now() FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'readings'::regclass ORDER BY c.relname
    """)
}

extension ReadingPartitions {
  package init(_ context: LoopContext) {
    self.init(retention: Retention(days: context.configuration.readings.rawDays), logger: context.logger)
  }
}

extension PostgresError {
  /// Whether there is no partition for a reading (23514, without the name of a constraint).
  var lacksPartition: Bool { isCheckViolation && constraint == nil && table == "readings" }
}
