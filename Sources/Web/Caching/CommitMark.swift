import Postgres
import Reactor
import Synchronization

/// The second way to learn of a commit: a mark in Postgres that changes with every commit that Redis could not be told
/// of.
///
/// The process polls it, and every loop asks it whether entries may be older than a commit: they count only under the
/// mark under which their epoch began. A mark is good for `lifetimeNanoseconds`; while it cannot be read, a change may
/// be missed, and no entry counts.
package final class CommitMark: Sendable {
  /// How long a mark is good from when it was asked for, in nanoseconds: with a loop's delay within the second that is
  /// promised.
  static let lifetimeNanoseconds: UInt64 = 800_000_000
  /// The pause between two reads of the mark, in nanoseconds.
  package static let intervalNanoseconds: UInt64 = 150_000_000

  private let value = Atomic<UInt64>(0)
  private let askedAt = Atomic<UInt64>(0)
  // Committed changes of this process that the mark does not tell of yet.
  private let unheard = Atomic<Int>(0)
  private let distrustedAt = Atomic<UInt64>(0)

  /// The mark, if it was read within its lifetime and tells of all changes of this process; nil otherwise.
  package func value(at now: UInt64) -> UInt64? {
    // Loaded before the value, which is then as new or newer.
    let asked = askedAt.load(ordering: .acquiring)
    guard asked > 0, now < asked &+ Self.lifetimeNanoseconds, unheard.load(ordering: .acquiring) == 0,
      asked > distrustedAt.load(ordering: .acquiring)
    else { return nil }
    return value.load(ordering: .relaxed)
  }

  /// Notes that a lost change is about to be marked: until then no loop of this process may trust entries.
  func beginMarking() { unheard.add(1, ordering: .acquiringAndReleasing) }

  /// Notes that the change is marked.
  func endMarking() {
    distrust()
    unheard.subtract(1, ordering: .acquiringAndReleasing)
  }

  /// Notes that a marked change was committed: a mark that was asked for before is no longer good.
  func distrust() { distrustedAt.store(Clock.monotonic(), ordering: .releasing) }

  /// Polls the mark for as long as the loop runs; called on one loop of the process.
  package func follow(_ database: Database) async {
    while true {
      // Without an answer the mark grows old, and no entry counts.
      try? await read(database)
      await database.loop.sleep(nanoseconds: Self.intervalNanoseconds)
    }
  }

  /// Reads the mark.
  func read(_ database: Database) async throws {
    let asked = database.loop.now
    guard let row = try await database.query(Self.find).first else { return }
    value.store(UInt64(bitPattern: try row.decode(Int64.self, 0)), ordering: .relaxed)
    askedAt.store(asked, ordering: .releasing)
  }

  /// Changes the mark by a statement of its own, after the commit that it tells of.
  static func change(_ database: Database) async throws(PostgresError) {
    try await database.execute(set, Int64.random(in: .min ... .max))
  }

  /// Changes the mark with the transaction's commit. It must be the last statement: others that change the mark wait
  /// for it.
  package static func change(in transaction: Transaction) async throws(PostgresError) {
    try await transaction.execute(set, Int64.random(in: .min ... .max))
  }

  private static let find = Statement("commitMark.find", "SELECT value FROM commit_mark")
  private static let set = Statement("commitMark.change", "UPDATE commit_mark SET value = $1")
}
