import Postgres
import Reactor
import Synchronization

/// The second way in which a commit is heard: a mark in Postgres that changes with every commit that Redis could not
/// be told of.
///
/// The process reads it over and over, and every loop asks here whether what is kept may be older than a commit: it
/// counts only under the mark under which its epoch began. A mark is good for a moment; while it cannot be read, a
/// change may go unheard, and nothing that is kept counts.
package final class CommitMark: Sendable {
  /// How long a mark is good, from when it was asked for: with a loop's delay within the second that is promised.
  static let lifetimeNanoseconds: UInt64 = 800_000_000
  /// The pause between two looks at it.
  package static let intervalNanoseconds: UInt64 = 150_000_000

  private let value = Atomic<UInt64>(0)
  private let askedAt = Atomic<UInt64>(0)
  // Changes of this process that are committed, and of which the mark does not tell yet.
  private let unheard = Atomic<Int>(0)
  private let distrustedAt = Atomic<UInt64>(0)

  /// The mark as of the last moments; nil when it is not known.
  package func value(at now: UInt64) -> UInt64? {
    // Before the value: what is read then is as new or newer.
    let asked = askedAt.load(ordering: .acquiring)
    guard asked > 0, now < asked &+ Self.lifetimeNanoseconds, unheard.load(ordering: .acquiring) == 0,
      asked > distrustedAt.load(ordering: .acquiring)
    else { return nil }
    return value.load(ordering: .relaxed)
  }

  /// Says that a change is about to be marked: no loop of this process may trust what is kept meanwhile.
  func beginMarking() { unheard.add(1, ordering: .acquiringAndReleasing) }

  /// Says that it is marked.
  func endMarking() {
    distrust()
    unheard.subtract(1, ordering: .acquiringAndReleasing)
  }

  /// Says that a change was marked and committed: what was asked of Postgres before is not good any more.
  func distrust() { distrustedAt.store(Clock.monotonic(), ordering: .releasing) }

  /// Reads the mark again and again for as long as the loop runs; to be called on one loop of the process.
  package func follow(_ database: Database) async {
    while true {
      _ = try? await read(database)
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

  /// Changes the mark, in a statement of its own after the commit that it tells of.
  static func change(_ database: Database) async throws(PostgresError) {
    try await database.execute(set, Int64.random(in: .min ... .max))
  }

  /// Changes the mark with the transaction's commit. Last of all: others who do wait for it until then.
  static func change(in transaction: Transaction) async throws(PostgresError) {
    try await transaction.execute(set, Int64.random(in: .min ... .max))
  }

  private static let find = Statement("commitMark.find", "SELECT value FROM commit_mark")
  private static let set = Statement("commitMark.change", "UPDATE commit_mark SET value = $1")
}
