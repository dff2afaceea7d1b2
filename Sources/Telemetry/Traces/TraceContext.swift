import Values

/// Where in a trace a piece of work stands: what `traceparent` and `tracestate` carry (W3C Trace Context).
package struct TraceContext: Sendable, Equatable {
  /// The length of a version 00 `traceparent` in bytes.
  package static let headerLength = 55
  /// The longest `tracestate` passed on, in bytes (section 3.3.1.5 asks for at least 512).
  package static let maximumStateBytes = 512

  package let traceID: TraceID
  package let spanID: SpanID
  /// Whether the caller, or the sampler at the head of the trace, wants its spans recorded.
  package let isSampled: Bool
  /// The vendors' list as it came, or nil.
  package let state: String?

  package init(traceID: TraceID, spanID: SpanID, isSampled: Bool, state: String? = nil) {
    self.traceID = traceID
    self.spanID = spanID
    self.isSampled = isSampled
    self.state = state
  }

  /// This place in the trace, of which nothing is recorded.
  package var unsampled: TraceContext {
    TraceContext(traceID: traceID, spanID: spanID, isSampled: false, state: state)
  }

  /// Reads `traceparent`, and `tracestate` with it; nil when the former is malformed, whatever the latter.
  ///
  /// Strict: lower-case digits, ids that are not all zero, version 00 of exactly 55 bytes. Version ff is invalid;
  /// other versions may be longer if a dash follows the part that is known (section 4.3). A state that is too long
  /// or holds anything but printable ASCII is dropped.
  package init?(traceparent: UnsafeRawBufferPointer, tracestate: String? = nil) {
    let dash = UInt8(ascii: "-")
    guard traceparent.count >= Self.headerLength, traceparent[2] == dash, traceparent[35] == dash,
      traceparent[52] == dash, let version = Self.hex(traceparent, 0..<2), version != 0xFF,
      traceparent.count == Self.headerLength || (version > 0 && traceparent[55] == dash),
      let high = Self.hex(traceparent, 3..<19), let low = Self.hex(traceparent, 19..<35),
      let traceID = TraceID(high: high, low: low),
      let parent = Self.hex(traceparent, 36..<52), let spanID = SpanID(parent),
      let flags = Self.hex(traceparent, 53..<55)
    else { return nil }
    self.init(
      traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1, state: tracestate.flatMap(Self.checkedState))
  }

  /// Reads `traceparent` and `tracestate` from text.
  package init?(traceparent: String, tracestate: String? = nil) {
    var traceparent = traceparent
    guard
      let context = traceparent.withUTF8({
        TraceContext(traceparent: UnsafeRawBufferPointer($0), tracestate: tracestate)
      })
    else { return nil }
    self = context
  }

  /// Appends the version 00 `traceparent`, 55 bytes.
  package func appendTraceparent(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "00-".utf8)
    traceID.appendText(to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    spanID.appendText(to: &bytes)
    bytes.append(contentsOf: (isSampled ? "-01" : "-00").utf8)
  }

  /// The version 00 `traceparent`.
  package var traceparent: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headerLength)
    appendTraceparent(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// This place in the trace, with `spanID` as the current span.
  package func child(_ spanID: SpanID) -> TraceContext {
    TraceContext(traceID: traceID, spanID: spanID, isSampled: isSampled, state: state)
  }

  private static func checkedState(_ state: String) -> String? {
    guard !state.isEmpty, state.utf8.count <= maximumStateBytes,
      state.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 })
    else { return nil }
    return state
  }

  /// At most 16 hexadecimal digits, of which the upper-case ones are refused (section 3.2.2).
  private static func hex(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64? {
    var value: UInt64 = 0
    for position in range {
      let byte = bytes[position]
      guard let digit = hexDigit(byte), byte < UInt8(ascii: "A") || byte > UInt8(ascii: "F") else { return nil }
      value = value << 4 | digit
    }
    return value
  }
}
