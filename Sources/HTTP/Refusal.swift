/// Why a request is not served.
package enum Refusal {
  /// The request breaks the protocol or a limit, or was too slow; the connection may be closed after the answer.
  case malformed(RequestFault)
  case notFound
  /// `allow` is the value for the Allow field, which the answer must have (RFC 9110, section 15.5.6).
  case methodNotAllowed(allow: String)
  /// The server does not know the method.
  case methodUnknown
  /// A bound of the server was reached.
  case overloaded(Overload)
  /// The handler threw an error other than `RequestFault`.
  case failed(any Error)

  /// The status for it, where the application knows no better one.
  package var status: Status {
    switch self {
    case .malformed(let fault): fault.status
    case .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .methodUnknown: .notImplemented
    case .overloaded: .serviceUnavailable
    case .failed: .internalServerError
    }
  }
}

/// A bound of the server that was reached.
package enum Overload: String, CaseIterable, Sendable {
  /// `HTTPLimits.connections`.
  case connections
  /// The `MemoryBudget`.
  case memory
}
