import Postgres
import Secrets
import Values
import Web

/// Seals webhooks' secrets with the key in use that were sealed with the one before, which can be given up then: a
/// channel may outlive many changes of the server's secret.
///
/// Batch by batch in the order of ids; who goes on after a process that died finds what that one has done as it should
/// be.
final class SecretResealing {
  /// How long a server waits with it after its start, in seconds: until then those are gone that know the secret before
  /// alone, and the change can be taken back.
  static let delaySeconds: UInt64 = 3_600
  /// For what was sealed meanwhile by a server that had not heard of the change.
  static let intervalSeconds: UInt64 = 3_600
  /// The most secrets that one transaction looks at.
  static let batchRows = 100

  private let seal: Seal
  /// Told how many secrets a transaction has sealed again, once it is committed.
  private let report: (Int) -> Void
  /// Behind which channel the next batch begins, and behind which it will when the one under way is committed.
  private var (place, end): (Identifier?, Identifier?)
  private var count = 0

  init(seal: Seal, report: @escaping (Int) -> Void) {
    self.seal = seal
    self.report = report
  }

  /// Nil while there is one secret alone, and so nothing to be done.
  var duty: Duty? {
    guard seal.keys.count > 1 else { return nil }
    return Duty(
      name: "channels.reseal", intervalSeconds: Self.intervalSeconds, timeoutMilliseconds: 30_000, run: run,
      delaySeconds: Self.delaySeconds, committed: committed)
  }

  /// Seals those of the next batch again; gives whether there are more behind it.
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
  // No change of the channel's that its owner would know of.
  private static let replace = Statement(
    "channels.reseal", "UPDATE channels SET secret = $3 WHERE id = $1 AND secret = $2")
}
