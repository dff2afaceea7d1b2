import Reactor

/// A request, from its head to the end of its answer.
///
/// A connection has one `Request` and uses it again: what is read from it is valid until the answer is finished, that
/// is, in the handler and in the calls of `Application`.
package final class Request {
  package let loop: EventLoop
  /// The address of the socket's other end.
  package let peer: PeerAddress

  @exclusivity(unchecked) var head = RequestHead()
  @exclusivity(unchecked) var parameters = PathParameters()
  // The bytes of the head, which stay in the connection's input buffer until the answer is finished.
  @exclusivity(unchecked) private var base: UnsafeRawPointer?
  @exclusivity(unchecked) private var fields: UnsafeMutablePointer<FieldSlice>?

  /// The matched route; the connection's route table keeps it alive.
  @exclusivity(unchecked) var matched: Unmanaged<Route>?
  /// The whole body, for a route that takes it buffered.
  @exclusivity(unchecked) package internal(set) var body: [UInt8] = []
  @exclusivity(unchecked) var streamedBody: RequestBodyStream?
  /// The charge for the body's memory while it is being read and used.
  @exclusivity(unchecked) var bodyCharge: MemoryCharge?
  /// The share of the memory that the request and its answer are charged to; the application sets it once it knows the
  /// client.
  @exclusivity(unchecked) package var share = MemoryBudget.Share.unknown
  /// When the head was complete: nanoseconds of the monotonic clock.
  @exclusivity(unchecked) package internal(set) var receivedAt: UInt64 = 0
  /// The number of requests before this one on the connection: tells which one an answer is for.
  @exclusivity(unchecked) package internal(set) var precedingRequests = 0
  // Behind a computed property, because the attribute does not reach direct accesses from other modules.
  @exclusivity(unchecked) private var keptContext: AnyObject?

  init(loop: EventLoop, peer: PeerAddress) {
    self.loop = loop
    self.peer = peer
  }

  /// Takes on a head whose bytes are at `base` and whose fields are at `fields`.
  @inline(__always)
  func adopt(_ base: UnsafeRawPointer?, _ fields: UnsafeMutablePointer<FieldSlice>?) {
    self.base = base
    self.fields = fields
  }

  /// Follows a head whose bytes were moved by `bytes`, and whose fields were moved to `fields`.
  func relocate(_ bytes: Int, _ fields: UnsafeMutablePointer<FieldSlice>) {
    guard let base else { return }
    self.base = base + bytes
    self.fields = fields
  }

  /// Drops everything that belonged to the finished request, except `context`.
  @inline(__always)
  func reset() {
    base = nil
    fields = nil
    head.fieldCount = 0
    head.nameLengths = 0
    parameters.removeAll()
    matched = nil
    if !body.isEmpty { body = [] }
    if bodyCharge != nil { bodyCharge = nil }
    share = .unknown
    if let stream = streamedBody {
      stream.finish(.failure(RequestFault(.internalServerError, "The request is finished")))
      streamedBody = nil
    }
    precedingRequests &+= 1
  }

  /// The bytes of a slice of the head; none after the end of the request.
  @inline(__always)
  func bytes(_ slice: Slice) -> UnsafeRawBufferPointer {
    guard let base else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: base + Int(slice.start), count: Int(slice.length))
  }

  /// The matched route.
  package var route: Route? { matched?.takeUnretainedValue() }

  /// What the application has attached to the matched route, which keeps it alive.
  package var routeAttachment: Unmanaged<AnyObject>? {
    matched?._withUnsafeGuaranteedRef { $0.attachment.map { .passUnretained($0) } }
  }

  /// What the application keeps about the request. It stays for the connection's next request, so that it may be used
  /// again.
  package var context: AnyObject? {
    get { keptContext }
    _modify { yield &keptContext }
  }

  /// `context`, which must be set, without counting a reference to it.
  package var contextReference: Unmanaged<AnyObject> { .passUnretained(keptContext.unsafelyUnwrapped) }

  /// The header field at `index`, which must be below `head.fieldCount`.
  @inline(__always)
  func field(_ index: Int) -> FieldSlice { fields.unsafelyUnwrapped[index] }

  func text(_ slice: Slice) -> String { String(decoding: bytes(slice), as: UTF8.self) }

  // MARK: Request line

  /// The method; also `.other` when the request could not be read.
  package var method: Method { head.method }
  /// The method's name as sent, also for an unknown one.
  package var methodName: String { text(head.methodName) }
  /// The target as sent, with its query; empty if it could not be read.
  package var target: String { text(head.target) }
  /// Calls `body` with the bytes of the target, without making a string.
  package func withTarget<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { body(bytes(head.target)) }

  /// The path as sent, that is, percent-encoded; empty if it could not be read.
  package var path: String { head.path.length == 0 && head.target.length > 0 ? "/" : text(head.path) }

  /// The parameters of the query; throws a 400 if it is malformed. Read anew each time: keep it.
  package var query: Query {
    get throws(RequestFault) {
      guard head.hasQuery else { return Query() }
      return try Query(bytes(head.query).bytes)
    }
  }

  /// The body, for a route that takes it streamed; empty for any other.
  package var bodyStream: RequestBodyStream { streamedBody ?? RequestBodyStream() }

  // MARK: Path parameters

  /// Returns a parameter of the route's template, percent-decoded. A name that the template does not have is a mistake
  /// in the program, and traps.
  package func parameter(_ name: String) -> String {
    // A path that cannot be decoded was refused before the handler was called.
    PercentEncoding.decode(bytes(parameterSlice(name)).bytes) ?? ""
  }

  /// Calls `body` with the bytes of a path parameter as sent, without making a string.
  package func withParameter<Result>(_ name: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    body(bytes(parameterSlice(name)))
  }

  private func parameterSlice(_ name: String) -> Slice {
    guard let index = route?.parameterNames.firstIndex(of: name), index < parameters.count else {
      preconditionFailure("the route has no parameter \(name)")
    }
    var slice = parameters[index]
    slice.start += head.path.start
    return slice
  }
}
