import Postgres
import Secrets
import Values
import Web

/// Seals again, with the present key, webhook secrets that were sealed with an earlier one. Afterwards the earlier key
/// can be removed, although channels outlive many changes of the server's secret.
///
/// Works in batches, in the order of ids. If a process dies, another one starts anew, and skips what is sealed with the
/// present key.
final class SecretResealing {
  /// How long after its start a server waits, in seconds: by then no server is left that knows only the earlier key,
  /// and until then the change can be undone.
  static let delaySeconds: UInt64 = 3_600
  /// How often it runs, in seconds, for secrets that a server which did not know of the change has sealed meanwhile.
  static let intervalSeconds: UInt64 = 3_600
  /// The most secrets that one transaction looks at.
  static let batchRows = 100

  private let seal: Seal
  /// Called with the number of secrets that a transaction has sealed again, once it is committed.
  private let report: (Int) -> Void
  /// The channel behind which the next batch begins: now, and once the batch in flight is committed.
  private var (place, end): (Identifier?, Identifier?)
  private var count = 0

  init(seal: Seal, report: @escaping (Int) -> Void) {
    self.seal = seal
    self.report = report
  }

  /// Nil while there is only one key, and so nothing to be done.
  var duty: Duty? {
    guard seal.keys.count > 1 else { return nil }
    return Duty(
      name: "channels.reseal", intervalSeconds: Self.intervalSeconds, timeoutMilliseconds: 30_000, run: run,
      delaySeconds: Self.delaySeconds, onCommit: committed)
  }

  /// Seals the secrets of the next batch again. Returns whether there are more behind it.
  func run(_ transaction: Transaction) async throws -> Bool {
    let rows = try await transaction.query(Self.next, place, Self.batchRows)
    count = 0
    end = nil
    for row in rows {
      let (id, secret) = try row.decode((Identifier.self, [UInt8].self))
      end = id
      guard let resealed = seal.resealed(secret) else { continue }
      count += try await transaction.execute(Self.replace, id, secret, resealed)
    }
    if rows.count < Self.batchRows { end = nil }
    return end != nil
  }

  func committed() {
    place = end
    if count > 0 { report(count) }
  }

  private static let next = Statement(
    "channels.sealed",
    """
    SELECT id, secret FROM channels WHERE secret IS NOT NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2
    """)
  // `updated_at` stays: to its owner the channel has not changed.
  private static let replace = Statement(
    "channels.reseal", "UPDATE channels SET secret = $3 WHERE id = $1 AND secret = $2")
}
