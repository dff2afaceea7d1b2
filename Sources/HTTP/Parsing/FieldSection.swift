import Values

/// Reads the header section of a request (RFC 9112, section 5) and what it says about the message itself.
struct FieldSection {
  typealias Stop = RequestParser.Stop

  let table: FieldTable

  /// What the fields about the message itself have said so far.
  private struct Seen {
    var host = false
    var contentLength: Int?
    var hasTransferEncoding = false
    var close = false
    var keepAlive = false
    var expectation = false
    var unknownExpectation = false
  }

  init(table: FieldTable) { self.table = table }

  /// Reads fields from `position`, where a line begins, up to and including the empty line.
  @inline(__always)
  func parse(_ bytes: RawSpan, _ position: inout Int, _ head: inout RequestHead) throws(Stop) {
    var seen = Seen()
    var count = 0
    while true {
      guard position < bytes.byteCount else { throw .needMore }
      if bytes[position] == ASCII.carriageReturn { break }
      let field = try Self.line(bytes, &position)
      guard count < table.capacity else {
        throw .malformed(RequestFault(.headTooLarge, "The request has too many header fields"))
      }
      table.base[count] = field
      count &+= 1
      head.fieldCount = count
      head.nameLengths |= 1 &<< UInt64(field.name.length)
      try note(field, bytes, &seen)
    }
    guard position &+ 1 < bytes.byteCount else { throw .needMore }
    guard bytes[position &+ 1] == ASCII.lineFeed else { throw .malformed("A carriage return without a line feed") }
    position &+= 2
    try conclude(seen, &head)
  }

  // MARK: Lines

  /// Reads one field line with its CRLF.
  @inline(__always)
  private static func line(_ bytes: RawSpan, _ position: inout Int) throws(Stop) -> FieldSlice {
    let start = position
    position = bytes.first(.token, isIn: false, from: start)
    guard position < bytes.byteCount else { throw .needMore }
    // No white space before the colon, and none at the start of a line: that was folding (section 5.1, 5.2).
    guard bytes[position] == ASCII.colon, position > start else {
      throw .malformed("A header field does not begin with a name and a colon")
    }
    let name = Slice(start, upTo: position)
    position &+= 1
    while position < bytes.byteCount, bytes[position] == ASCII.space || bytes[position] == ASCII.tab { position &+= 1 }
    let valueStart = position
    position = bytes.firstControl(from: position)
    while position < bytes.byteCount, bytes[position] == ASCII.tab {
      position = bytes.firstControl(from: position &+ 1)
    }
    guard position < bytes.byteCount else { throw .needMore }
    guard bytes[position] == ASCII.carriageReturn else { throw .malformed("A header field holds a control character") }
    guard position &+ 1 < bytes.byteCount else { throw .needMore }
    guard bytes[position &+ 1] == ASCII.lineFeed else { throw .malformed("A carriage return without a line feed") }
    var valueEnd = position
    while valueEnd > valueStart, bytes[valueEnd &- 1] == ASCII.space || bytes[valueEnd &- 1] == ASCII.tab {
      valueEnd &-= 1
    }
    position &+= 2
    return FieldSlice(name: name, value: Slice(valueStart, upTo: valueEnd))
  }

  // MARK: Fields about the message

  /// Evaluates a field that says something about the message itself, told apart by the length of its name.
  @inline(__always)
  private func note(_ field: FieldSlice, _ bytes: RawSpan, _ seen: inout Seen) throws(Stop) {
    let start = Int(field.name.start)
    switch field.name.length {
    case 4:
      if bytes.matchesIgnoringCase("host", at: start) { try host(field.value.range, bytes, &seen) }
    case 6:
      if bytes.matchesIgnoringCase("expect", at: start) { expect(bytes.extracting(field.value.range), &seen) }
    case 10:
      if bytes.matchesIgnoringCase("connection", at: start) { connection(bytes.extracting(field.value.range), &seen) }
    case 14:
      if bytes.matchesIgnoringCase("content-length", at: start) {
        try contentLength(bytes.extracting(field.value.range), &seen)
      }
    case 17:
      if bytes.matchesIgnoringCase("transfer-encoding", at: start) {
        try transferEncoding(bytes.extracting(field.value.range), &seen)
      }
    default: break
    }
  }

  /// Requires exactly one Host field (RFC 9112, section 3.2).
  @inline(__always)
  private func host(_ value: Range<Int>, _ bytes: RawSpan, _ seen: inout Seen) throws(Stop) {
    guard !seen.host else { throw .malformed("The request has more than one Host field") }
    seen.host = true
    guard Authority.isWellFormed(bytes, value) else { throw .malformed("The Host field is not a host") }
  }

  /// Requires digits and nothing else, in one field (RFC 9110, section 8.6).
  private func contentLength(_ value: RawSpan, _ seen: inout Seen) throws(Stop) {
    guard seen.contentLength == nil else { throw .malformed("The request has more than one Content-Length field") }
    guard value.byteCount > 0 else { throw .malformed("The Content-Length is not a number") }
    var length = 0
    var overflows = false
    for offset in 0..<value.byteCount {
      guard value[offset].isASCIIDigit else { throw .malformed("The Content-Length is not a number") }
      let (product, isLarge) = length.multipliedReportingOverflow(by: 10)
      let (sum, isLarger) = product.addingReportingOverflow(Int(value[offset] &- UInt8(ascii: "0")))
      overflows = overflows || isLarge || isLarger
      length = sum
    }
    if overflows { throw .malformed(RequestFault(.contentTooLarge, "The body is too large")) }
    seen.contentLength = length
  }

  /// Requires exactly `chunked`, in one field. A list that names `chunked` once, at its end, is 501 for the coding
  /// before it, since the end of the body could still be found; anything else is 400 (RFC 9112, sections 6.1, 6.3 and
  /// 7).
  private func transferEncoding(_ value: RawSpan, _ seen: inout Seen) throws(Stop) {
    guard !seen.hasTransferEncoding else { throw .malformed("The request has more than one Transfer-Encoding field") }
    seen.hasTransferEncoding = true
    if value.equalsIgnoringCase("chunked") { return }
    var position = 0
    var isChunked = false
    var hasOther = false
    while let range = value.nextListMember(&position) {
      let coding = value.extracting(range)
      guard !isChunked, coding.first(.token, isIn: false, from: 0) == coding.byteCount else {
        throw .malformed("The Transfer-Encoding is not exactly chunked")
      }
      isChunked = coding.equalsIgnoringCase("chunked")
      hasOther = hasOther || !isChunked
    }
    guard isChunked, hasOther else { throw .malformed("The Transfer-Encoding is not exactly chunked") }
    throw .malformed(RequestFault(.notImplemented, "The only supported transfer coding is chunked"))
  }

  @inline(__always)
  private func connection(_ value: RawSpan, _ seen: inout Seen) {
    if value.equalsIgnoringCase("keep-alive") {
      seen.keepAlive = true
      return
    }
    var position = 0
    while let range = value.nextListMember(&position) {
      let option = value.extracting(range)
      if option.equalsIgnoringCase("close") { seen.close = true }
      if option.equalsIgnoringCase("keep-alive") { seen.keepAlive = true }
    }
  }

  private func expect(_ value: RawSpan, _ seen: inout Seen) {
    if value.equalsIgnoringCase("100-continue") { seen.expectation = true } else { seen.unknownExpectation = true }
  }

  // MARK: The whole

  @inline(__always)
  private func conclude(_ seen: Seen, _ head: inout RequestHead) throws(Stop) {
    let isOld = head.minorVersion == 0
    guard seen.host || isOld else { throw .malformed("The request has no Host field") }
    head.keepsAlive = isOld ? seen.keepAlive && !seen.close : !seen.close
    if seen.hasTransferEncoding {
      // Both together are how requests are smuggled; HTTP/1.0 knows no transfer coding (RFC 9112, section 6.1).
      guard seen.contentLength == nil else {
        throw .malformed("The request has a Content-Length and a Transfer-Encoding")
      }
      guard !isOld else { throw .malformed("HTTP/1.0 has no transfer codings") }
      head.framing = .chunked
    } else if let length = seen.contentLength, length > 0 {
      head.framing = .length(length)
    }
    // An HTTP/1.0 client's expectations are ignored (RFC 9110, section 10.1.1).
    guard !isOld else { return }
    guard !seen.unknownExpectation else {
      throw .malformed(RequestFault(.expectationFailed, "The only supported expectation is 100-continue"))
    }
    head.expectsContinue = seen.expectation && head.framing != .none
  }
}
