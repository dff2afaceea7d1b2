import Values

/// The host that a request is for, with its port: of the Host field, or of an absolute target (RFC 9110, section 7.2;
/// RFC 3986, section 3.2).
enum Authority {
  /// Whether `range` is a host that is not empty, with or without a colon and a port. The byte after the range must not
  /// be a character of a name.
  @inline(__always)
  static func isWellFormed(_ bytes: RawSpan, _ range: Range<Int>) -> Bool {
    let end = bytes.first(.host, isIn: false, from: range.lowerBound)
    guard end > range.lowerBound else { return isUnusual(bytes.extracting(range)) }
    if end == range.upperBound { return true }
    return bytes[end] == ASCII.colon
      ? isPort(bytes, end &+ 1..<range.upperBound) : isUnusual(bytes.extracting(range))
  }

  /// Whether `range` is a port: at most 65535, or empty.
  @inline(__always)
  private static func isPort(_ bytes: RawSpan, _ range: Range<Int>) -> Bool {
    var port = 0
    for offset in range {
      let digit = Int(bytes[offset]) &- 0x30
      port = port &* 10 &+ digit
      guard UInt(bitPattern: digit) < 10, port <= Int(UInt16.max) else { return false }
    }
    return true
  }

  /// Whether the bytes are a host and port, where the host has escapes or is an address in brackets.
  @inline(never)
  private static func isUnusual(_ bytes: RawSpan) -> Bool {
    guard bytes.byteCount > 0,
      let end = bytes[0] == UInt8(ascii: "[") ? endOfAddress(bytes) : endOfName(bytes), end > 0
    else { return false }
    return end == bytes.byteCount || bytes[end] == ASCII.colon && isPort(bytes, end + 1..<bytes.byteCount)
  }

  /// The end of the name that the bytes begin with, escapes included; nil if an escape is malformed.
  private static func endOfName(_ bytes: RawSpan) -> Int? {
    var position = 0
    while position < bytes.byteCount {
      if bytes[position] == UInt8(ascii: "%") {
        guard position + 2 < bytes.byteCount, hexDigit(bytes[position + 1]) != nil, hexDigit(bytes[position + 2]) != nil
        else { return nil }
        position += 3
      } else if ASCII.isIn(.host, bytes[position]) {
        position += 1
      } else {
        break
      }
    }
    return position
  }

  /// The position after the bracket that closes an IPv6 address; nil if there is none. IPvFuture addresses, which RFC
  /// 3986 allows too, are refused.
  private static func endOfAddress(_ bytes: RawSpan) -> Int? {
    var end = 1
    while end < bytes.byteCount, bytes[end] != UInt8(ascii: "]") { end += 1 }
    guard end < bytes.byteCount else { return nil }
    let text = bytes.extracting(1..<end).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    return text.contains(":") && PeerAddress(text) != nil ? end + 1 : nil
  }
}
