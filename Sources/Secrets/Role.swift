/// What an account may do.
package enum Role: String, Sendable {
  case user
  case admin
}
