/// What an account may do.
package enum Role: String, CaseIterable, Sendable {
  case user
  case admin
}
