import Postgres
import Secrets
import Values

/// A token that makes the user who accepts it a member of a garden, once.
package struct Invitation {
  /// How long it is good, in days.
  package static let days: Int64 = 14

  private let key: OpaqueKey

  /// Parses an invitation; nil for a text that was never one.
  package init?(_ text: some StringProtocol) {
    guard let key = OpaqueKey(text, .invitation) else { return nil }
    self.key = key
  }

  /// Whether it may still be accepted.
  package func isOpen(in database: Database, at now: Timestamp) async throws -> Bool {
    try await !database.query(Self.find, key.digest, now).isEmpty
  }

  /// Makes a user a member. Returns the garden and the role, or nil when the invitation is no longer open; throws a
  /// violation of uniqueness when the user is a member already.
  package func accept(
    by user: Identifier, in transaction: Transaction, at now: Timestamp
  ) async throws -> (garden: Identifier, role: String)? {
    guard let row = try await transaction.query(Self.use, key.digest, now, user).first else { return nil }
    let (garden, role) = try row.decode((Identifier.self, String.self))
    return (garden, role)
  }

  /// Deletes a user's open invitations, to one garden or to all: a user who may no longer invite leaves no way in
  /// behind.
  package static func end(
    by user: Identifier, to garden: Identifier? = nil, in transaction: Transaction
  ) async throws {
    try await transaction.execute(delete, user, garden)
  }

  /// Whether `invited_by` made the invitation: the release before renews one and leaves the user who had made it first.
  private static let isByInviter = "garden_members.invited_at = garden_members.created_at"
  /// The condition on the row of an open invitation. It lets nobody in while the user who made it is disabled.
  private static let isOpen = """
    hash = $1 AND expires_at > $2
    AND NOT EXISTS (SELECT FROM users u WHERE u.id = invited_by AND \(isByInviter) AND u.disabled)
    """
  private static let find = Statement("invitations.find", "SELECT FROM garden_members WHERE \(isOpen)")
  private static let use = Statement(
    "invitations.use",
    """
    UPDATE garden_members
    SET user_id = $3, hash = NULL, expires_at = NULL, created_at = $2, invited_by = NULL, invited_at = NULL
    WHERE \(isOpen) RETURNING garden_id, role
    """)
  private static let delete = Statement(
    "invitations.delete",
    """
    DELETE FROM garden_members
    WHERE invited_by = $1 AND \(isByInviter) AND user_id IS NULL AND ($2::uuid IS NULL OR garden_id = $2)
    """)
}
