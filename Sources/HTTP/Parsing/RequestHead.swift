/// A piece of the head, in bytes from the head's first byte.
package struct Slice: Equatable, Sendable {
  package var start: UInt32 = 0
  package var length: UInt32 = 0

  init() {}

  @inline(__always)
  init(_ start: Int, upTo end: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    length = UInt32(truncatingIfNeeded: end &- start)
  }

  @inline(__always)
  package var range: Range<Int> { Range(uncheckedBounds: (Int(start), Int(start) &+ Int(length))) }
}

/// One header field as it stands in the head.
package struct FieldSlice: Equatable, Sendable {
  package var name: Slice
  /// Without the white space around it.
  package var value: Slice
}

/// How the end of a request's body is found (RFC 9112, section 6.3).
package enum BodyFraming: Equatable, Sendable {
  case none
  case length(Int)
  case chunked
}

/// A request line and what the header section says about the message itself: positions only, no text.
package struct RequestHead {
  package internal(set) var method = Method.other
  /// The name of the method.
  var methodName = Slice()
  /// The target as sent, for logs.
  var target = Slice()
  /// The path within the target, percent-encoded.
  package internal(set) var path = Slice()
  /// The query within the target, without its question mark; meaningless unless `hasQuery`.
  var query = Slice()
  var hasQuery = false
  var pathHasEscapes = false
  /// `OPTIONS *` (RFC 9112, section 3.2.4).
  var isAsterisk = false
  /// The second digit of the version: 0, or 1 for 1.1 and later.
  var minorVersion: UInt8 = 1
  var fieldCount = 0
  /// Which lengths the names of the fields have, a bit for each modulo 64: most names that are asked for are not there,
  /// and this tells so at once.
  var nameLengths: UInt64 = 0
  var framing = BodyFraming.none
  var keepsAlive = true
  var expectsContinue = false

  package init() {}
}

/// Room for the header fields of one head, filled by the parser.
package struct FieldTable {
  let base: UnsafeMutablePointer<FieldSlice>
  let capacity: Int

  package init(base: UnsafeMutablePointer<FieldSlice>, capacity: Int) {
    self.base = base
    self.capacity = capacity
  }
}
