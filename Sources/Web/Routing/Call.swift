import HTTP
import JSON
import Telemetry
import Values

/// One request on its way through filters and handler: what they learn of it, and how it is read and answered.
package final class Call {
  // Invariant 1: the request and the context outlive all use of the call.
  package unowned(unsafe) let request: Request
  unowned(unsafe) let context: LoopContext
  /// The request's id.
  @exclusivity(unchecked) private(set) var id: RequestID
  /// The address of the client itself, behind trusted proxies.
  @exclusivity(unchecked) package private(set) var clientAddress: PeerAddress
  /// The caller's trace, or a new one when traces are exported.
  @exclusivity(unchecked) package var trace: TraceContext?
  /// The span id that the caller's trace gave, the parent of this request's span.
  @exclusivity(unchecked) var parentSpan: SpanID?
  /// When the request came, in nanoseconds since 1970.
  @exclusivity(unchecked) var startedUnixNanoseconds: UInt64 = 0
  /// Who calls; anonymous until authentication has run.
  @exclusivity(unchecked) package var identity = Identity.anonymous
  /// The endpoint that was matched. Its route keeps it; counting references to it for each request would cost.
  @exclusivity(unchecked) private(set) var boundEndpoint: Unmanaged<BoundEndpoint>?
  /// Whether the filters have let it through.
  @exclusivity(unchecked) var isAdmitted = false
  /// What became of the request's rate token.
  @exclusivity(unchecked) var rate: (limiter: RateLimiter, decision: RateDecision)?
  /// The problem that was answered.
  @exclusivity(unchecked) package var problem: Problem?

  init(
    _ request: Request, _ context: LoopContext, id: RequestID, clientAddress: PeerAddress,
    endpoint: Unmanaged<BoundEndpoint>?
  ) {
    self.request = request
    self.context = context
    self.id = id
    self.clientAddress = clientAddress
    boundEndpoint = endpoint
  }

  /// The call that a request was given when it began.
  @inline(__always)
  static func of(_ request: Request) -> Call { unsafeDowncast(request.context.unsafelyUnwrapped, to: Call.self) }

  /// Begins anew with the connection's next request, so that a request allocates no call of its own.
  func reuse(id: RequestID, clientAddress: PeerAddress, endpoint: Unmanaged<BoundEndpoint>?) {
    self.id = id
    self.clientAddress = clientAddress
    boundEndpoint = endpoint
    if trace != nil { trace = nil }
    parentSpan = nil
    startedUnixNanoseconds = 0
    identity = .anonymous
    isAdmitted = false
    if rate != nil { rate = nil }
    if problem != nil { problem = nil }
  }

  /// The client's `X-Request-Id`, or one of our own.
  var requestID: String { id.text }

  /// The endpoint that was matched.
  var endpoint: BoundEndpoint? { boundEndpoint?.takeUnretainedValue() }

  /// The moment at which this turn of the loop began, to the millisecond, as all replicas see it.
  package var now: Timestamp { context.now }

  // MARK: Who

  /// The signed-in user; throws 401 for an anonymous caller and 403 for a device.
  package var user: UserIdentity {
    get throws {
      switch identity {
      case .user(let user): return user
      case .device: throw Problem(.forbidden, "A device key gives no access to this; sign in as a user.")
      case .anonymous: throw Problem(.unauthorized, "Sign in: send an access token as a bearer token.")
      }
    }
  }

  /// The device that has shown its key; throws 401 for an anonymous caller and 403 for a user.
  package var device: DeviceIdentity {
    get throws {
      switch identity {
      case .device(let device): return device
      case .user: throw Problem(.forbidden, "Only a device has access to this, with its key.")
      case .anonymous: throw Problem(.unauthorized, "Send a device's key as a bearer token.")
      }
    }
  }

  /// The user's id, or nil for anyone else.
  var userID: Identifier? { identity.user }

  /// Who calls, as limits tell clients apart: a user or device by its id, anyone else by network.
  package var client: String { rateClient.text }

  var rateClient: RateClient {
    switch identity {
    case .anonymous: .network(clientAddress.network)
    case .user(let user): .user(user.id)
    case .device(let device): .device(device.id)
    }
  }

  // MARK: What

  /// An id in the path; one that is malformed names nothing, so it is 404.
  package func identifier(_ name: String) throws -> Identifier {
    guard let identifier = request.withParameter(name, { Identifier($0) }) else {
      throw Problem(.notFound, "There is nothing with this id.")
    }
    return identifier
  }

  /// The body as a JSON document; throws 415 for another media type and 400 for what is not JSON.
  func json() throws -> JSONValue {
    try requireMediaType(endpoint?.endpoint.body?.mediaTypes ?? ["application/json"])
    return try JSONReader.parse(request.body)
  }

  /// Reads the body as a form; throws 422 with every fault in it.
  package func form<Form: JSONForm>(_ type: Form.Type) throws -> Form { try Form(reading: try json()) }

  /// The query's parameters; throws 400 when they are malformed or one is given twice.
  package func query() throws -> Query { try request.query }

  /// Throws 422 for a body other than an empty object where the endpoint takes none: what it asks for must not pass
  /// silently.
  func requireNoUnaskedBody() throws {
    guard endpoint?.endpoint.body == nil, !request.body.isEmpty else { return }
    if case .object(let object)? = try? JSONReader.parse(request.body), object.members.isEmpty { return }
    throw ValidationError("", "must be empty: this takes no body")
  }

  /// The media type of the body without its parameters, in lower case; throws 415 when it is none of these.
  @discardableResult
  package func requireMediaType(_ accepted: [String]) throws -> String {
    let field = request.header("Content-Type") ?? ""
    let type = field.prefix { $0 != ";" }.lowercased().trimmingSpaces
    let parameters = field.lowercased().filter { $0 != " " && $0 != "\"" }
    let isUTF8 = !parameters.contains("charset=") || parameters.contains("charset=utf-8")
    guard accepted.contains(type), isUTF8 else {
      throw Problem(.unsupportedMediaType, "Send the body as \(accepted.joined(separator: " or ")) in UTF-8.")
    }
    return type
  }
}
