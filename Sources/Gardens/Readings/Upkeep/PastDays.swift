import Postgres
import Telemetry
import Values
import Web

/// Deletes the rows of a table whose days are past their time: raw readings that are in no partition, and so not
/// dropped with one, or buckets of five minutes.
///
/// The oldest days are deleted first, `Retention.daysAtATime` of them, in as many statements as that takes; then none
/// for `Retention.intervalSeconds`. They are found by an index on the days alone, so that only what is deleted is read,
/// whatever was deleted before.
final class PastDays {
  private let table: Table
  private let retention: Retention
  private let logger: Logger
  /// The end of the days that are being deleted; nil while none are.
  private var end: CivilDate?

  init(_ table: Table, _ retention: Retention, logger: Logger) {
    self.table = table
    self.retention = retention
    self.logger = logger
  }

  var duty: Duty {
    Duty(name: table.duty, intervalSeconds: Retention.intervalSeconds) { try await self.delete($0, rows: $1) }
  }

  /// Deletes at most `rows` rows of these days, and returns how many it did.
  func delete(_ transaction: Transaction, rows: Int) async throws -> Int {
    let firstDay = try await retention.firstDay(transaction)
    if end == nil { end = try await end(before: firstDay, transaction) }
    guard let end else { return 0 }
    let count = try await transaction.execute(table.delete, rows, min(end, firstDay).start)
    if count < rows { self.end = nil }
    return count
  }

  /// Finds the end of the oldest days; nil when none is past its time.
  private func end(before firstDay: CivilDate, _ transaction: Transaction) async throws -> CivilDate? {
    guard let row = try await transaction.query(table.oldest, firstDay.start).first else { return nil }
    let oldest = CivilDate(try row.decode(Timestamp.self, 0))
    let end = min(firstDay, oldest.advanced(byDays: Retention.daysAtATime))
    logger.log(.info, "Deleting expired days") {
      $0.field("table", table.name)
      $0.field("from", oldest.description)
      $0.field("before", end.description)
    }
    return end
  }

  /// A table, and how its days are found.
  struct Table {
    let name: String
    let duty: StaticString
    let oldest: Statement
    let delete: Statement

    private init(_ name: String, duty: StaticString, day: String) {
      self.name = name
      self.duty = duty
      oldest = Statement(
        "\(duty).oldest", "SELECT \(day) FROM \(name) WHERE \(day) < $1 ORDER BY \(day) LIMIT 1")
      delete = Expiry.deletion("\(duty)", from: name, where: "\(day) < $2", orderBy: day)
    }

    static let late = Table("readings_late", duty: "expiry.lateReadings", day: "measured_at")
    static let sealed = Table("readings_sealed", duty: "expiry.sealedReadings", day: RawReadings.day(of: "start"))
    static let buckets = Table("readings_5m", duty: "expiry.buckets", day: RawReadings.day(of: "start"))
  }
}
