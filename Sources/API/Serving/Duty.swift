import Postgres

/// Something that one replica at a time does again and again in the background.
struct Duty {
  /// What metrics and log call it; also tells its lock from others.
  let name: StaticString
  /// From the end of one run to the next.
  let intervalSeconds: UInt64
  /// How long each of its statements may take.
  let timeoutMilliseconds: Int
  /// One run, in a transaction that holds the duty's lock; gives whether more is to be done at once.
  let run: (Transaction) async throws -> Bool
  /// Whether it must have run before anything is served.
  var precedesServing = false
  /// Called after each run whose transaction was committed.
  var committed: () -> Void = {}
  /// Called after each run that failed; gives whether the next one is worth to be tried at once.
  var failed: (any Error) -> Bool = { _ in false }

  /// Waits until no other transaction has the duty's lock, and keeps it to the end of this one.
  func lock(in transaction: Transaction) async throws {
    try await transaction.execute(Self.lock, Self.lockClass, lockKey)
  }

  /// The first half of all duties' locks: "terr" in ASCII.
  static let lockClass: Int32 = 0x7465_7272

  private static let lock = Statement("duties.lock", "SELECT pg_advisory_xact_lock($1, $2)")

  /// The key of the lock that keeps other replicas away (FNV-1a of the name, below the class of all duties).
  var lockKey: Int32 {
    name.withUTF8Buffer { name in
      Int32(bitPattern: name.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 })
    }
  }
}
