/// How the end of a request's body is found (RFC 9112, section 6.3).
package enum BodyFraming: Equatable, Sendable {
  case none
  case length(Int)
  case chunked
}
