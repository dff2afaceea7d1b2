/// Finds the body of a request in the bytes behind its head, by either framing, and enforces its limit.
struct BodyReader {
  private var framing: BodyFraming
  private var decoder: ChunkedDecoder
  /// The bytes still to come of a body of known length.
  private var remaining = 0
  private var received = 0
  private let limit: Int
  private(set) var isComplete: Bool
  // The first fault, which lasts: nothing behind it may be taken for the end of the body.
  private var fault: RequestFault?

  /// A body of at most `limit` bytes. A known length beyond it must have been refused before.
  init(_ framing: BodyFraming, limit: Int, limits: HTTPLimits) {
    self.framing = framing
    self.limit = limit
    decoder = ChunkedDecoder(limits: limits)
    if case .length(let length) = framing { remaining = length }
    isComplete = framing == .none
  }

  /// Takes bytes from `position` on, up to the next event.
  mutating func next(_ bytes: RawSpan, _ position: inout Int) -> ChunkedDecoder.Event {
    if isComplete { return .end }
    if let fault { return .malformed(fault) }
    var event: ChunkedDecoder.Event
    switch framing {
    case .none: event = .end
    case .length: event = nextOfLength(bytes, &position)
    case .chunked: event = decoder.next(bytes, &position)
    }
    if case .data(let range) = event {
      received += range.count
      if received > limit { event = .malformed(Self.tooLarge) }
    }
    if case .malformed(let found) = event { fault = found }
    isComplete = event == .end
    return event
  }

  static let tooLarge = RequestFault(.contentTooLarge, "The body is too large")

  private mutating func nextOfLength(_ bytes: RawSpan, _ position: inout Int) -> ChunkedDecoder.Event {
    if remaining == 0 { return .end }
    let count = min(remaining, bytes.byteCount - position)
    if count == 0 { return .needMore }
    defer { position += count }
    remaining -= count
    return .data(position..<position + count)
  }
}
