import Postgres
import Values
import Web

/// Who may do what with a garden: it is its owner's, and if it is public, anyone may look at it.
package struct GardenAccess {
  let context: LoopContext

  /// Throws 404 for a garden that the user may not even know of, and 403 for a public one of someone else.
  func requireOwner(_ user: UserIdentity, of garden: Identifier) async throws {
    guard let row = try await context.database.query(Self.visible, garden, user.id).first else {
      throw Self.notFound
    }
    guard try row.decode(Bool.self, 0) else { throw Self.notYours }
  }

  /// Throws 404 unless the garden is public or the caller's own. A device's key opens no more than no key.
  func requireReader(_ identity: Identity, of garden: Identifier) async throws {
    let user: Identifier? = if case .user(let user) = identity { user.id } else { nil }
    if try await context.database.query(Self.visible, garden, user).isEmpty { throw Self.notFound }
  }

  package static var notFound: Problem { Problem(.notFound, "There is no garden with this id.") }
  package static var notYours: Problem { Problem(.forbidden, "This garden is someone else's.") }

  private static let visible = Statement(
    "gardens.access",
    """
    SELECT coalesce(owner_id = $2, false) FROM gardens
    WHERE id = $1 AND (public OR owner_id = $2)
    """)
}
