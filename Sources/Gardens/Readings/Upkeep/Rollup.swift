import Postgres
import Values
import Web

/// Brings the buckets of five minutes and of an hour up to date with the readings that have come, late ones too.
///
/// Each statement that stores readings leaves a row with what they add to which buckets. The row is taken and added to
/// the buckets in one transaction, so that each reading counts exactly once. A queue has the buckets that are to be
/// made anew from their readings instead, by one statement that also removes whatever was to be added to them: in its
/// snapshot an addition is seen exactly if its readings are.
///
/// A device that another transaction has locked, or whose hours one holds, is left for later: what was taken of it is
/// queued again.
///
/// What the database refuses, and additions of what no sensor measures, are cut in two from run to run until the bad
/// part stands alone. Bad additions are queued as buckets to be made anew; a bad bucket is set aside, so that the
/// others go on.
final class Rollup {
  /// The most statements whose additions one run takes.
  static let statements = 2_000
  /// The most entries of the queue that one run takes: about a second's work, so that an import, which queues very
  /// many, does not hold up what devices add.
  static let queueRows = 1_000
  /// How long a statement waits for a lock of another transaction, in milliseconds.
  static let lockTimeoutMilliseconds = 1_000

  /// What the present run works on.
  private enum Stage { case additions, queue, aside }

  /// Called once it is committed, with the database's reason and the bucket that was set aside, or nil for additions
  /// whose buckets are made anew instead.
  private let refused: (_ bucket: RollupBucket?, _ reason: String) -> Void
  private var additions = RollupPortion(most: statements)
  private var queue = RollupPortion(most: queueRows)
  private var stage = Stage.queue
  /// Whether there may be more additions than the last run took.
  private var hasMoreAdditions = false
  /// The bucket of the queue that stands alone, if one does.
  private var lone: RollupBucket?
  /// What the next run sets aside.
  private var suspect: (bucket: RollupBucket?, reason: String)?

  init(refused: @escaping (_ bucket: RollupBucket?, _ reason: String) -> Void) { self.refused = refused }

  /// A rollup that counts and logs what is refused.
  convenience init(_ context: LoopContext) {
    let (logger, refusals, shard) = (context.logger, context.meters.instruments.rollupRefused, context.loop.index)
    // Both are there at zero: a rise shows only from a value before it.
    let (buckets, additions) = (refusals.child(shard: shard, "bucket"), refusals.child(shard: shard, "additions"))
    self.init { bucket, reason in
      (bucket == nil ? additions : buckets).increment()
      logger.log(.warning, bucket == nil ? "Additions to buckets were refused" : "A bucket was set aside") {
        if let bucket {
          $0.field("device", bucket.device.description)
          $0.field("sensorType", bucket.type)
          $0.field("start", bucket.start.description)
        }
        $0.field("reason", reason)
      }
    }
  }

  var duty: Duty {
    Duty(
      name: "readings.rollup", intervalSeconds: 2, timeoutMilliseconds: 30_000, run: { try await self.run($0) },
      onCommit: { self.committed() }, onFailure: { self.recover(from: $0) })
  }

  /// Does some of the work. Returns whether there is more.
  ///
  /// Additions and the queue take turns, each in a transaction of its own: a failure of the queue takes back no
  /// additions.
  func run(_ transaction: Transaction) async throws -> Bool {
    try await transaction.limitLocks(milliseconds: Self.lockTimeoutMilliseconds)
    if let suspect {
      stage = .aside
      try await setAside(suspect.bucket, suspect.reason, transaction)
      return true
    }
    if stage != .additions {
      stage = .additions
      if try await takeAdditions(transaction) { return true }
    }
    stage = .queue
    return try await takeQueue(transaction) || hasMoreAdditions
  }

  /// Adds what statements have left to the buckets. Returns whether there was any.
  private func takeAdditions(_ transaction: Transaction) async throws -> Bool {
    // Should this fail, there still are.
    hasMoreAdditions = true
    let rows = try await transaction.query(Self.takeAdditions, additions.count)
    guard let first = rows.first else {
      hasMoreAdditions = false
      return false
    }
    let held = try await hold(try rows.map { try $0.decode(Identifier.self, 0) }, transaction)
    var added = BucketAdditions()
    var left: [RollupBucket] = []
    for row in rows {
      let (device, type, start) = try row.decode((Identifier.self, [UInt8].self, Timestamp.self))
      if held.contains(device) {
        left.append(RollupBucket(device: device, type: String(decoding: type, as: UTF8.self), start: start))
        continue
      }
      var values = ValueSummary()
      values.min = try row.decode(Double.self, 3)
      values.max = try row.decode(Double.self, 4)
      values.sum = try row.decode(Double.self, 5)
      values.count = try row.decode(Int64.self, 6)
      // An infinite sum would be added without an error.
      guard Reading.values.contains(values.sum / Double(values.count)) else { throw BeyondMeasure() }
      added.append(device, type, start, values)
    }
    try await queueAgain(left, transaction)
    try await transaction.execute(
      Self.add, added.devices, added.types, added.starts, added.minima, added.maxima, added.sums, added.counts)
    try await transaction.execute(Self.hours, added.devices, added.types, added.starts)
    hasMoreAdditions = try first.decode(Int.self, 7) == additions.count
    return true
  }

  /// Makes queued buckets anew. Returns whether there may be more.
  private func takeQueue(_ transaction: Transaction) async throws -> Bool {
    let rows = try await transaction.query(Self.takeQueue, queue.count)
    guard let first = rows.first else { return false }
    let all = try rows.map { row in
      let (device, type, start) = try row.decode((Identifier.self, String.self, Timestamp.self))
      return RollupBucket(device: device, type: type, start: start)
    }
    lone = all.count == 1 ? all[0] : nil
    let held = try await hold(all.map(\.device), transaction)
    try await queueAgain(all.filter { held.contains($0.device) }, transaction)
    let buckets = all.filter { !held.contains($0.device) }
    // What is left for later is not asked for again at once.
    if buckets.isEmpty { return false }
    let (devices, types, starts) = (buckets.map(\.device), buckets.map(\.type), buckets.map(\.start))
    try await transaction.execute(Self.makeAnew, devices, types, starts)
    try await transaction.execute(Self.hours, devices, types, starts)
    return try first.decode(Int.self, 3) == queue.count
  }

  /// Keeps devices until the transaction's end. Returns those that another one has locked, or whose hours one holds.
  private func hold(_ devices: [Identifier], _ transaction: Transaction) async throws -> Set<Identifier> {
    let rows = try await transaction.query(Self.hold, devices)
    return Set(try rows.filter { try $0.decode(Bool.self, 1) }.map { try $0.decode(Identifier.self, 0) })
  }

  /// Queues buckets again, to be made anew later.
  private func queueAgain(_ buckets: [RollupBucket], _ transaction: Transaction) async throws {
    if buckets.isEmpty { return }
    try await transaction.execute(Self.queueAgain, buckets.map(\.device), buckets.map(\.type), buckets.map(\.start))
  }

  // MARK: What is refused

  /// Additions whose mean lies outside of what any sensor may measure.
  private struct BeyondMeasure: Error, CustomStringConvertible {
    let description = "their mean is beyond what a sensor measures"
  }

  private func committed() {
    if let suspect {
      refused(suspect.bucket, suspect.reason)
      self.suspect = nil
    } else if stage == .additions {
      additions.grow()
    } else {
      queue.grow()
    }
  }

  /// Makes the next run smaller, or has it set aside what stands alone. Returns whether that may be done at once.
  private func recover(from error: any Error) -> Bool {
    let failure = error as? PostgresError
    let isOfData = failure?.isOfData ?? (error is BeyondMeasure)
    guard isOfData || failure?.kind == .timeout else { return false }
    switch stage {
    case .additions: if additions.halve() { return true }
    case .queue: if lone == nil { return queue.halve() }
    case .aside: return false
    }
    // Work that is merely slow is not refused.
    guard isOfData else { return false }
    suspect = (stage == .queue ? lone : nil, "\(error)")
    return true
  }

  private func setAside(_ bucket: RollupBucket?, _ reason: String, _ transaction: Transaction) async throws {
    if let bucket {
      try await transaction.execute(Self.refuse, bucket.device, bucket.type, bucket.start, reason)
    } else {
      try await transaction.execute(Self.queueAdditions)
    }
  }
}

/// How much one run takes: less after a failure, and more again with every success.
private struct RollupPortion {
  let most: Int
  private(set) var count: Int

  init(most: Int) {
    self.most = most
    count = most
  }

  /// Halves the portion; returns false when it cannot be cut.
  mutating func halve() -> Bool {
    guard count > 1 else { return false }
    count /= 2
    return true
  }

  mutating func grow() { count = min(most, count * 2) }
}

extension PostgresError {
  /// Whether the same statement may succeed with other data: faults of values, constraints, limits and stored blocks,
  /// and what a trigger raises (classes 22, 23, 54, XX and P0 of the manual's appendix A).
  fileprivate var isOfData: Bool {
    guard let sqlState else { return false }
    return ["22", "23", "54", "XX", "P0"].contains { sqlState.hasPrefix($0) }
  }
}
