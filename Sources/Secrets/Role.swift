/// What an account may do.
package enum Role: String, CaseIterable, Sendable {
  case user
  case admin

  /// The role of that name. One that this release does not know, as that beside it may give to an account, is a user's:
  /// nobody gains anything by it, and nobody who is signed in is shut out.
  package init(named name: String) { self = Role(rawValue: name) ?? .user }
}
