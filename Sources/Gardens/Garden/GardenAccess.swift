import Postgres
import Values
import Web

/// Access to a garden: it is its owner's and its members', and if it is public, anyone may look at it.
package struct GardenAccess {
  let context: LoopContext

  /// Throws 404 for a garden that the user may not even know of, and 403 when the user's role is less than `required`.
  func require(_ required: GardenRole, _ user: UserIdentity, of garden: Identifier) async throws {
    try required.require(try await role(user, in: garden))
  }

  /// Returns the user's role in a garden; nil in a public one of others. Throws 404 for one that the user may not even
  /// know of.
  func role(_ user: UserIdentity, in garden: Identifier) async throws -> GardenRole? {
    try await requireReader(.user(user), of: garden)
  }

  /// Returns the caller's role in a garden; nil in a public one of others. Throws 404 unless the garden is public, the
  /// caller's own, or shared with the caller. A device's key opens no more than no key.
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

  /// The role of the user `$2` in the garden `$1`; no row for one that the user may not see.
  static let visible = Statement(
    "gardens.access",
    """
    SELECT \(GardenRole.column(of: "$2")) FROM gardens
    WHERE id = $1 AND \(GardenRole.isVisible(to: "$2"))
    """)
}
