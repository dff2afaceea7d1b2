import Postgres
import Web

/// What a user may do with a garden. Each role may also do what those before it may.
package enum GardenRole: String, CaseIterable, Sendable, Comparable {
  /// Sees everything of it.
  case viewer
  /// Adds devices and changes them, posts readings and asks for insights.
  case editor
  /// Changes the garden and its members, and deletes devices.
  case manager
  /// Deletes it and hands it over.
  case owner

  package static func < (left: GardenRole, right: GardenRole) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  // MARK: SQL

  /// The role of a user, which is a parameter such as `$2`, in the row of `gardens`; NULL for a stranger.
  package static func column(of user: String) -> String {
    """
    CASE WHEN gardens.owner_id = \(user) THEN 'owner' ELSE (
      SELECT m.role FROM garden_members m WHERE m.garden_id = gardens.id AND m.user_id = \(user)) END
    """
  }

  /// Whether a user has this role or more in the row of `gardens`, as a condition.
  package func isHeld(by user: String) -> String {
    let roles = Self.allCases.filter { $0 >= self && $0 != .owner }.map { "'\($0.rawValue)'" }
    let members = """
      EXISTS (SELECT FROM garden_members m
        WHERE m.garden_id = gardens.id AND m.user_id = \(user) AND m.role IN (\(roles.joined(separator: ", "))))
      """
    return self == .owner ? "gardens.owner_id = \(user)" : "(gardens.owner_id = \(user) OR \(members))"
  }

  /// Whether a user, who may be NULL for a stranger, may see the row of `gardens`, as a condition.
  package static func isVisible(to user: String) -> String { "(gardens.public OR \(viewer.isHeld(by: user)))" }

  /// Reads `column`; nil for a stranger, and for a role that this release does not know.
  static func read(_ columns: inout Columns) throws -> GardenRole? {
    try columns.next(String?.self).flatMap { GardenRole(rawValue: $0) }
  }

  /// Reads `column`, and throws 403 unless the role is this one or more.
  package func require(_ columns: inout Columns) throws { try require(try Self.read(&columns)) }

  /// Throws 403 unless a role is this one or more.
  func require(_ role: GardenRole?) throws {
    guard let role else { throw GardenAccess.notYours }
    guard role >= self else {
      throw Problem(.forbidden, "Your role in this garden is \(role.rawValue); this needs \(rawValue).")
    }
  }
}
