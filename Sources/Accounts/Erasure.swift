import Postgres
import Values
import Web

/// The end of an account: everything it owns is deleted; what others need of it stays without its name.
struct Erasure {
  let context: LoopContext
  /// All features that hold something of a user.
  let features: [any Feature]

  /// Erases a user in one transaction, unless `check` throws for the profile and the password's hash as they are then.
  /// Throws 409 while orders are open on either side.
  func erase(_ user: Identifier, _ check: @escaping (Profile, String) throws -> Void) async throws {
    var committed: [AfterCommit] = []
    do {
      try await context.database.transaction(timeoutMilliseconds: Erasing.timeoutMilliseconds) { transaction in
        committed = []
        if let row = try await transaction.query(Self.lock, user).first {
          var columns = row.columns
          try check(Profile(&columns), columns.next())
        }
        for feature in features { try await feature.requireErasable(user, in: transaction) }
        for feature in features { committed.append(try await feature.erase(user, in: transaction)) }
        try await transaction.execute(Self.delete, user)
      }
    } catch let error as PostgresError where error.outcomeIsUnknown {
      for tell in committed { await tell() }
      // Postgres may still commit it, once it has recovered.
      context.cache.changeWasLost()
      throw error
    }
    for tell in committed { await tell() }
  }

  private static let lock = Statement(
    "erasure.lock", "SELECT \(Profile.columns), password_hash FROM users WHERE id = $1 FOR UPDATE")
  private static let delete = Statement("erasure.delete", "DELETE FROM users WHERE id = $1")
}
