/// What a server serves: its routes, and what it does around them. One per loop, called on the loop's thread.
///
/// For every request, `begin` is called once, then at most one of a handler, `refuse` and `options` makes the answer
/// (`refuse` also when a handler throws, or there is no memory for its answer), then `finish` is called once.
package protocol Application: AnyObject {
  var router: Router { get }

  /// The head was parsed and routed, or refused: `request.route` is nil if nothing matched or nothing was parsed.
  func begin(_ request: Request)

  /// Makes the answer to a request that cannot be served. The body must not be a stream.
  func refuse(_ refusal: Refusal, _ request: Request) -> Response

  /// Answers OPTIONS for a path without a route of its own for it, or for the server itself (`*`).
  func options(_ request: Request, allow: String) -> Response

  /// Adds the fields that every answer has, before those of the answer itself.
  func addFields(to fields: FieldWriter, for request: Request)

  /// The request was answered, or its answer dropped.
  func finish(_ request: Request, _ summary: Finished)
}

extension Application {
  package func options(_ request: Request, allow: String) -> Response {
    Response(.noContent, headers: ["Allow": allow])
  }

  package func addFields(to fields: FieldWriter, for request: Request) {}
}

/// Why a request is not served.
package enum Refusal {
  /// It breaks the protocol or a limit, or was too slow; the connection may be closed after the answer.
  case malformed(RequestFault)
  case notFound
  /// `allow` is the value for the Allow field, which the answer must have (RFC 9110, section 15.5.6).
  case methodNotAllowed(allow: String)
  /// The server does not know the method.
  case methodUnknown
  /// There is too much of something.
  case overloaded(Overload)
  /// The handler threw something else than a `RequestFault`.
  case failed(any Error)

  /// The status that fits, where the application knows nothing better.
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

/// A request's end, for metrics and logs.
package struct Finished: Sendable {
  package let status: Status
  /// Head and body as they came, in bytes.
  package let bytesIn: Int
  /// Head and body as they were handed to the kernel or wait to be, in bytes.
  package let bytesOut: Int
  /// From the turn in which the head was complete to the answer's last byte in the output buffer.
  package let durationNanoseconds: UInt64
  /// The client was gone before the whole answer could be sent.
  package let isDropped: Bool
}
