import Postgres
import Settings
import Telemetry
import Values
import Web

/// Packs the raw readings of days that are over into a row for each device, sensor and day, and merges late ones into
/// these.
///
/// A run moves the readings of some series, in a transaction that is committed only if what is stored afterwards is
/// what was there before, so that it can be broken off anywhere. A reader sees every reading once, before and after.
/// When a day's partition is empty, it is dropped; while a long read prevents that, all other days go on.
///
/// The previous release knows nothing of sealed days. While it may run beside this one, or come back, nothing is
/// sealed.
final class ReadingsSealing {
  /// About how many readings a run moves: less than a second's work, for which requests with late readings wait.
  static let readingsPerRun = 50_000
  /// The most readings that a run packs, those included that were sealed with them before. Of a series that has more in
  /// a day, all that is not sealed yet stays as it is: it would keep all others waiting, or fail each time.
  static let packedPerRun = 4_000_000
  /// By how much less a run packs, at the utmost, after others took too long.
  static let leastShare = 8
  /// How long a run waits for its turn, in milliseconds: late readings that come meanwhile wait as long, and one of
  /// those before it may wait for an import, which takes its time.
  static let patienceMilliseconds = 1_000
  /// How long after the tables were made the previous release may still be needed, as an interval of SQL.
  static let watchInterval = "1 day"
  /// How long after the tables were made readings are sealed that may have come while the previous release ran, as an
  /// interval of SQL.
  static let mixedInterval = "3 days"

  /// Where a day's readings are taken from.
  enum Source: CaseIterable {
    case partitions, late
  }

  /// What was moved and what is stored, to be compared: sums of the times and of the values' hashes, whatever their
  /// order.
  struct Totals: Equatable, RowDecodable {
    var count: Int64
    var times: Int64
    var values: Int64

    init(_ columns: inout Columns) throws {
      count = try columns.next()
      times = try columns.next()
      values = try columns.next()
    }

    static func + (left: Totals, right: Totals) -> Totals {
      var sum = left
      sum.count += right.count
      sum.times += right.times
      sum.values += right.values
      return sum
    }
  }

  /// Thrown when sealing would change what is stored of a day.
  struct Differs: Error, CustomStringConvertible {
    let day: CivilDate
    let (expected, stored): (Totals, Totals)
    var description: String { "sealing \(day) would make \(stored) of \(expected); nothing is changed" }
  }

  /// A day's readings in one of the sources.
  private struct Part: Hashable {
    let source: Source
    let day: CivilDate
  }

  /// The series behind which a run goes on.
  private struct Place {
    var device = Identifier(high: 0, low: 0)
    var type = ""
  }

  private let logger: Logger
  private let readingsPerRun: Int
  private let packedPerRun: Int
  /// What is left of `packedPerRun` today, after runs that took too long.
  private var packed: Int
  private var place = Place()
  /// What the present run works on, and the last series that it has moved or left out.
  private var current: Part?
  private var reached: Place?
  /// The series that the present run has left out, since it has too many readings.
  private var leftOut: Place?
  /// Whether a run has left out a series of what the present one works on.
  private var isIncomplete = false
  /// Parts of which nothing is left but such series, and the end of what could be sealed when they were found so: a day
  /// later they are looked at again.
  private var incomplete: Set<Part> = []
  private var incompleteBefore: Timestamp?
  /// The day whose partition the present run drops, and whether it was empty.
  private var dropping: CivilDate?
  private var dropped: CivilDate?
  /// Days whose partitions could not be dropped; they are left alone until nothing else is left to do.
  private var undropped: Set<CivilDate> = []

  init(logger: Logger, readingsPerRun: Int = readingsPerRun, packedPerRun: Int = packedPerRun) {
    self.logger = logger
    self.readingsPerRun = readingsPerRun
    self.packedPerRun = packedPerRun
    packed = packedPerRun
  }

  /// Nil where sealing is turned off.
  convenience init?(_ context: LoopContext) {
    guard context.configuration.readings.seals else { return nil }
    self.init(logger: context.logger)
  }

  var duty: Duty {
    Duty(
      name: "readings.seal", intervalSeconds: 60, timeoutMilliseconds: 60_000, run: { try await self.run($0) },
      onCommit: { self.committed() },
      onFailure: { self.recover(from: $0) })
  }

  /// Seals the next series of the oldest day that is over. Returns whether there is more to do.
  func run(_ transaction: Transaction) async throws -> Bool {
    (reached, leftOut, dropping, dropped) = (nil, nil, nil, nil)
    try await transaction.limitLocks(milliseconds: Self.patienceMilliseconds)
    try await transaction.execute(Self.keepOrder, Duty.lockClass, OpenDays.orderKey)
    guard let end = try await end(transaction), let part = try await oldest(before: end, transaction) else {
      (current, place, undropped) = (nil, Place(), [])
      return false
    }
    if part != current { (current, place, isIncomplete) = (part, Place(), false) }
    if try await seal(part, transaction) { return true }
    if isIncomplete {
      incomplete.insert(part)
    } else if part.source == .partitions {
      return try await drop(part.day, transaction)
    }
    return true
  }

  private func committed() {
    place = reached ?? Place()
    if let leftOut, let current {
      isIncomplete = true
      logger.log(.info, "Left out a series when sealing a day, since it has too many readings") {
        $0.field("day", current.day.description)
        $0.field("device", leftOut.device.description)
        $0.field("sensorType", leftOut.type)
      }
    }
    if let dropped { logger.log(.info, "Sealed a day of raw readings") { $0.field("day", dropped.description) } }
  }

  /// Has runs pack less after one that took too long, and leaves a day for later whose partition is still being read.
  /// Returns whether another run may do better.
  private func recover(from error: any Error) -> Bool {
    place = Place()
    let failure = error as? PostgresError
    if failure?.kind == .timeout, packed > packedPerRun / Self.leastShare {
      packed /= 2
      return true
    }
    guard let dropping, failure?.isLockTimeout == true else { return false }
    return undropped.insert(dropping).inserted
  }

  // MARK: A day

  /// The end of what may be sealed, by the database's clock; nil while the previous release may be needed.
  private func end(_ transaction: Transaction) async throws -> Timestamp? {
    guard let row = try await transaction.query(Self.clock).first else { return nil }
    // Other machines' clocks may be behind: readings of a day that they take for open go to its partition.
    let now = try row.decode(Timestamp.self, 0).advanced(byMilliseconds: -Retention.marginMilliseconds)
    return OpenDays.start(at: now)
  }

  private func oldest(before end: Timestamp, _ transaction: Transaction) async throws -> Part? {
    if end != incompleteBefore { (incomplete, incompleteBefore, packed) = ([], end, packedPerRun) }
    for day in try await ReadingPartitions.existing(transaction) where day < CivilDate(end) {
      let part = Part(source: .partitions, day: day)
      if !undropped.contains(day), !incomplete.contains(part) { return part }
    }
    var from: Timestamp?
    while let first = try await transaction.query(Self.firstLate, from, end).first {
      let part = Part(source: .late, day: CivilDate(try first.decode(Timestamp.self, 0)))
      if !incomplete.contains(part) { return part }
      from = part.day.advanced(byDays: 1).start
    }
    return nil
  }

  /// Moves the readings of the next series, or leaves one out; returns false when there are none left.
  private func seal(_ part: Part, _ transaction: Transaction) async throws -> Bool {
    let (from, to) = (part.day.start, part.day.advanced(byDays: 1).start)
    let statements = part.source.statements
    guard
      let last = try await transaction.query(
        statements.last, from, to, place.device, place.type, readingsPerRun, packed
      ).first
    else { return false }
    let (device, type, fits) = try last.decode((Identifier.self, String.self, Bool.self))
    let end = Place(device: device, type: type)
    guard fits else {
      (reached, leftOut) = (end, end)
      return true
    }
    let before = try await totals(from, device, type, transaction)
    let rows = try await transaction.query(statements.move, from, to, place.device, place.type, device, type)
    let after = try await totals(from, device, type, transaction)
    let expected = try before + Totals(rows[0])
    guard after == expected else { throw Differs(day: part.day, expected: expected, stored: after) }
    reached = end
    return true
  }

  /// The totals of what is sealed of a day's series, from `place` up to one.
  private func totals(
    _ start: Timestamp, _ device: Identifier, _ type: String, _ transaction: Transaction
  ) async throws -> Totals {
    try Totals(await transaction.query(Self.totals, start, place.device, place.type, device, type)[0])
  }

  private func drop(_ day: CivilDate, _ transaction: Transaction) async throws -> Bool {
    dropping = day
    try await transaction.limitLocks(milliseconds: ReadingPartitions.dropPatienceMilliseconds)
    let rows = try await transaction.query(Self.dropEmpty, day.description)
    // Otherwise something came in after the last series was moved: the next run finds it, from the beginning.
    if try rows[0].decode(Bool.self, 0) { dropped = day }
    return true
  }
}
