import Postgres
import Values
import Web

/// Who may do what with a garden: it is its owner's and its members', and if it is public, anyone may look at it.
package struct GardenAccess {
  let context: LoopContext

  /// Throws 404 for a garden that the user may not even know of, and 403 for one in which the user may not do so much.
  func require(_ required: GardenRole, _ user: UserIdentity, of garden: Identifier) async throws {
    try required.require(try await role(user, in: garden))
  }

  /// The user's role in a garden; nil in a public one of others. Throws 404 for one that the user may not even know of.
  func role(_ user: UserIdentity, in garden: Identifier) async throws -> GardenRole? {
    try await requireReader(.user(user), of: garden)
  }

  /// Throws 404 unless the garden is public, the caller's own, or one that is shared with the caller, and gives the
  /// caller's role; nil in a public one of others. A device's key opens no more than no key.
  @discardableResult
  func requireReader(_ identity: Identity, of garden: Identifier) async throws -> GardenRole? {
    guard let row = try await context.database.query(Self.visible, garden, identity.user).first else {
      throw Self.notFound
    }
    var columns = row.columns
    return try GardenRole.read(&columns)
  }

  package static var notFound: Problem { Problem(.notFound, "There is no garden with this id.") }
  package static var notYours: Problem { Problem(.forbidden, "This garden is someone else's.") }

  /// The role of a user, `$2`, in a garden that the user may see.
  static let visible = Statement(
    "gardens.access",
    """
    SELECT \(GardenRole.column(of: "$2")) FROM gardens
    WHERE id = $1 AND \(GardenRole.isVisible(to: "$2"))
    """)
}
