import Reactor

/// A request, from its head to the end of its answer.
///
/// A connection has one and uses it again: what is read from it is valid until the answer is finished, that is, in
/// the handler and in the calls of `Application`.
package final class Request {
  package let loop: EventLoop
  /// The address of the socket's other end.
  package let peer: PeerAddress

  @exclusivity(unchecked) var head = RequestHead()
  @exclusivity(unchecked) var parameters = PathParameters()
  // The bytes of the head, which stay in the connection's input buffer until the answer is finished.
  @exclusivity(unchecked) private var base: UnsafeRawPointer?
  @exclusivity(unchecked) private var fields: UnsafeMutablePointer<FieldSlice>?

  /// The route that was matched; the connection's route table keeps it.
  @exclusivity(unchecked) var matched: Unmanaged<Route>?
  /// The whole body, for a route that takes it buffered.
  @exclusivity(unchecked) package internal(set) var body: [UInt8] = []
  @exclusivity(unchecked) var streamedBody: RequestBodyStream?
  /// Counts the memory of the body while it is being read and used.
  @exclusivity(unchecked) var bodyCharge: MemoryCharge?
  /// Whose memory the request and its answer take: for the application to say once it knows who asks.
  @exclusivity(unchecked) package var share = MemoryBudget.Share.unknown
  /// When the head was complete: nanoseconds of the monotonic clock.
  @exclusivity(unchecked) package internal(set) var receivedAt: UInt64 = 0
  /// How many requests the connection had before this one: tells which one an answer is for.
  @exclusivity(unchecked) package internal(set) var precedingRequests = 0
  // Behind a computed property, because the attribute does not reach direct accesses from other modules.
  @exclusivity(unchecked) private var keptContext: AnyObject?

  init(loop: EventLoop, peer: PeerAddress) {
    self.loop = loop
    self.peer = peer
  }

  /// Takes on a head whose bytes and fields lie there.
  @inline(__always)
  func adopt(_ base: UnsafeRawPointer?, _ fields: UnsafeMutablePointer<FieldSlice>?) {
    self.base = base
    self.fields = fields
  }

  /// Follows a head whose bytes and fields were moved.
  func relocate(_ bytes: Int, _ fields: UnsafeMutablePointer<FieldSlice>) {
    guard let base else { return }
    self.base = base + bytes
    self.fields = fields
  }

  /// Lets go of everything that belonged to the request that is finished.
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

  /// The route that was matched.
  package var route: Route? { matched?.takeUnretainedValue() }

  /// Whatever the application attached to the route that was matched. The route keeps it.
  package var routeAttachment: Unmanaged<AnyObject>? {
    matched?._withUnsafeGuaranteedRef { $0.attachment.map { .passUnretained($0) } }
  }

  /// Whatever the application needs to know of the request. Left for the connection's next request, so that it may be
  /// used again.
  package var context: AnyObject? {
    get { keptContext }
    _modify { yield &keptContext }
  }

  /// `context`, which must be there, without counting a reference to it.
  package var contextReference: Unmanaged<AnyObject> { .passUnretained(keptContext.unsafelyUnwrapped) }

  /// A header field, by its place below `head.fieldCount`.
  @inline(__always)
  func field(_ index: Int) -> FieldSlice { fields.unsafelyUnwrapped[index] }

  func text(_ slice: Slice) -> String { String(decoding: bytes(slice), as: UTF8.self) }

  // MARK: Request line

  /// The method; `.other` too when the request could not be read.
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

  /// A parameter of the route's template, percent-decoded. A name that the template does not have is a mistake in the
  /// program, and traps.
  package func parameter(_ name: String) -> String {
    // What cannot be decoded was refused before the handler was called.
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
