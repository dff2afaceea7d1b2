import Values

/// The id of a trace: 16 bytes, not all zero (W3C Trace Context, section 3.2.2.3).
package struct TraceID: Hashable, Sendable {
  /// Bytes 0–7, the first of them most significant.
  package let high: UInt64
  /// Bytes 8–15, the first of them most significant.
  package let low: UInt64

  /// Nil when all bytes are zero.
  package init?(high: UInt64, low: UInt64) {
    guard high | low != 0 else { return nil }
    self.high = high
    self.low = low
  }

  /// Appends 32 lower-case hexadecimal digits.
  package func appendText(to bytes: inout [UInt8]) {
    bytes.appendHex(high)
    bytes.appendHex(low)
  }
}

/// The id of a span: 8 bytes, not all zero (W3C Trace Context, section 3.2.2.4).
package struct SpanID: Hashable, Sendable {
  package let value: UInt64

  /// Nil when all bytes are zero.
  package init?(_ value: UInt64) {
    guard value != 0 else { return nil }
    self.value = value
  }

  /// Appends 16 lower-case hexadecimal digits.
  package func appendText(to bytes: inout [UInt8]) { bytes.appendHex(value) }
}

extension TraceID: CustomStringConvertible {
  /// 32 lower-case hexadecimal digits.
  package var description: String {
    var bytes: [UInt8] = []
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension SpanID: CustomStringConvertible {
  /// 16 lower-case hexadecimal digits.
  package var description: String {
    var bytes: [UInt8] = []
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension [UInt8] {
  /// Appends 16 lower-case hexadecimal digits.
  fileprivate mutating func appendHex(_ number: UInt64) {
    append(upTo: 16) { output in
      output.appendHex(UInt32(truncatingIfNeeded: number >> 32))
      output.appendHex(UInt32(truncatingIfNeeded: number))
    }
  }
}
