import Postgres
import Reactor
import Values

/// How many days measurements are kept, and which days are past that.
///
/// What is dropped is lost. So two clocks must agree that its time is over, and only a few days are dropped at a time:
/// when both are wrong, or the number of days is, the operator can still step in.
struct Retention {
  /// How far the database's clock and this machine's may be apart for anything to be dropped, in milliseconds.
  static let farthestClocksMilliseconds: Int64 = 60_000
  /// The most days that are dropped at a time, the oldest first.
  static let daysAtATime: Int64 = 2
  /// How often days past their time are looked for, in seconds.
  static let intervalSeconds: UInt64 = 3_600
  /// How much longer everything is kept, in milliseconds: a reading that was just accepted must find its place.
  static let marginMilliseconds = Timestamp.millisecondsPerHour

  let days: Int
  /// This machine's clock, uncorrected: two clocks that agree only because one follows the other prove nothing.
  var now: () -> Timestamp = { Timestamp(unixMilliseconds: Clock.unixMilliseconds()) }

  /// Thrown when the two clocks differ, so that one is wrong.
  struct ClocksDiffer: Error, CustomStringConvertible {
    let seconds: Int64
    var description: String { "the database's clock and this machine's are \(seconds) s apart; nothing is dropped" }
  }

  /// The first day that may have something whose time is not over, by the database's clock. Throws `ClocksDiffer`
  /// rather than believe a clock that is wrong.
  func firstDay(_ transaction: Transaction) async throws -> CivilDate {
    let present = try await Self.databaseNow(transaction)
    let apart = abs(present.unixMilliseconds - now().unixMilliseconds)
    guard apart <= Self.farthestClocksMilliseconds else { throw ClocksDiffer(seconds: apart / 1_000) }
    return CivilDate(present.advanced(byDays: -Int64(days)).advanced(byMilliseconds: -Self.marginMilliseconds))
  }

  /// The time by the database's clock.
  static func databaseNow(_ transaction: Transaction) async throws -> Timestamp {
    try await transaction.query(clock)[0].decode(Timestamp.self, 0)
  }

  private static let clock = Statement("readings.clock", "SELECT clock_timestamp()")
}
