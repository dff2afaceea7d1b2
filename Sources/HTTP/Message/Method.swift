/// A request method (RFC 9110, section 9). Names are case-sensitive: `get` is another method, and an unknown one.
package enum Method: UInt8, Sendable, CaseIterable {
  case get, head, post, put, patch, delete, options, trace, connect
  /// Any method that the server does not know.
  case other

  /// The name on the wire; `OTHER` for an unknown method, whose own name is in the request's bytes.
  package var name: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .patch: "PATCH"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .trace: "TRACE"
    case .connect: "CONNECT"
    case .other: "OTHER"
    }
  }

  /// The method with this name on the wire; `.other` for an unknown one.
  init(_ name: RawSpan) {
    for method in Method.allCases where method != .other && name.equals(method.name) {
      self = method
      return
    }
    self = .other
  }
}
