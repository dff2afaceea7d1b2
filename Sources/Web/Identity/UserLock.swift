import Postgres
import Values

/// The row of a user, locked so that two requests of theirs cannot both take what is left of a bound.
package enum UserLock {
  private static let statement = Statement("users.takeTurn", "SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE")

  /// Locks a user's row until the transaction ends: others that ask for the same lock wait.
  package static func take(_ user: Identifier, in transaction: Transaction) async throws {
    try await transaction.execute(statement, user)
  }
}
