import Reactor
import Values

/// The erasures of one loop that are under way: of devices, gardens and accounts.
///
/// Each holds a connection that other transactions need as well, and may do so for minutes: while years of readings are
/// deleted, or while it waits for a lock of another erasure, or of a history that is being imported. So at most half of
/// these connections are for them, and half of that for those of one user.
package final class Erasures {
  /// The most erasures behind which one more may wait for its turn.
  static let maximumWaiting = 256
  /// How long an erasure waits for its turn, in nanoseconds.
  static let patienceNanoseconds: UInt64 = 10_000_000_000

  private let turns: Turns

  /// Takes turns at `connections`.
  init(loop: EventLoop, connections: Int) {
    let most = max(1, connections / 2)
    turns = Turns(most, ofEach: max(1, most / 2), on: loop, limit: .database)
  }

  /// Calls `body` when it is the user's turn. Throws 503 when too many wait, or the turn does not come in time.
  package func turn<Value>(of user: Identifier, _ body: () async throws -> Value) async throws -> Value {
    let turn = try await turns.take(
      for: user.description, behind: Self.maximumWaiting, nanoseconds: Self.patienceNanoseconds)
    defer { turns.end(turn) }
    return try await body()
  }
}
