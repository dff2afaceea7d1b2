import Postgres

/// Background work that one replica at a time repeats.
package struct Duty {
  /// Its name in metrics and log, from which the key of its lock is made.
  package let name: StaticString
  /// The pause from the end of one run to the next.
  package let intervalSeconds: UInt64
  /// How long each of its statements may take.
  package let timeoutMilliseconds: Int
  /// One run, in a transaction that holds the duty's lock; returns whether there is more to do at once.
  package let run: (Transaction) async throws -> Bool
  /// Returns whether it must run before anything is served; asked at the start.
  package let mustPrecedeServing: (Database) async throws -> Bool
  /// The delay from the start to the first run.
  package let delaySeconds: UInt64
  /// Called after each run whose transaction was committed. It is part of the run, which the end of the process waits
  /// for.
  package let onCommit: () async -> Void
  /// Called after each run that failed; returns whether the next one is worth trying at once.
  package let onFailure: (any Error) async -> Bool

  package init(
    name: StaticString, intervalSeconds: UInt64, timeoutMilliseconds: Int,
    run: @escaping (Transaction) async throws -> Bool,
    mustPrecedeServing: @escaping (Database) async throws -> Bool = { _ in false }, delaySeconds: UInt64 = 0,
    onCommit: @escaping () async -> Void = {}, onFailure: @escaping (any Error) async -> Bool = { _ in false }
  ) {
    self.name = name
    self.intervalSeconds = intervalSeconds
    self.timeoutMilliseconds = timeoutMilliseconds
    self.run = run
    self.mustPrecedeServing = mustPrecedeServing
    self.delaySeconds = delaySeconds
    self.onCommit = onCommit
    self.onFailure = onFailure
  }

  /// Waits for the duty's lock, and holds it until `transaction` ends.
  package func lock(in transaction: Transaction) async throws {
    try await transaction.execute(Self.lock, Self.lockClass, lockKey)
  }

  /// The first key of all duties' locks: "terr" in ASCII.
  package static let lockClass: Int32 = 0x7465_7272

  private static let lock = Statement("duties.lock", "SELECT pg_advisory_xact_lock($1, $2)")

  /// The second key of the lock that keeps other replicas away: FNV-1a of the name.
  package var lockKey: Int32 {
    name.withUTF8Buffer { name in
      Int32(bitPattern: name.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 })
    }
  }
}
