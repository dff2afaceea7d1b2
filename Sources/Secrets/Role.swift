/// What an account may do.
package enum Role: String, CaseIterable, Sendable {
  case user
  case admin

  /// The role named `name`. One that this release does not know, as another release beside it may give to an account,
  /// counts as a user's: it grants nothing, and shuts out nobody who is signed in.
  package init(named name: String) { self = Role(rawValue: name) ?? .user }
}
