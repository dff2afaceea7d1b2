/// Reads request heads (RFC 9112, sections 2–6).
///
/// Stateless: each call is given everything that has come since the end of the last request and starts at its front.
/// Nothing is copied: the head is slices of those bytes.
package struct RequestParser {
  package enum Outcome: Equatable {
    /// The head is not complete, and nothing is wrong with what is there.
    case needMore
    /// A head, with the number of bytes it takes up.
    case request(used: Int)
    /// Not a request that can be served; the connection cannot be used further.
    case malformed(RequestFault)
  }

  /// Why parsing ends before the head does.
  enum Stop: Error {
    case needMore
    case malformed(RequestFault)
  }

  // Not the whole of `HTTPLimits`, which would be copied for every request.
  private let headBytes: Int
  private let targetBytes: Int

  package init(limits: HTTPLimits) {
    headBytes = limits.headBytes
    targetBytes = limits.targetBytes
  }

  /// Parses the head at the front of `bytes` into `head` and `fields`, whose capacity is the limit on their number.
  ///
  /// When the outcome is `.malformed`, `head` holds what had been read by then.
  package func parse(_ bytes: RawSpan, into head: inout RequestHead, fields: FieldTable) -> Outcome {
    head = RequestHead()
    do throws(Stop) {
      var position = try skipEmptyLines(bytes)
      try requestLine(bytes, &position, &head)
      try FieldSection(table: fields).parse(bytes, &position, &head)
      guard position <= headBytes else { return .malformed(Self.tooLarge) }
      return .request(used: position)
    } catch {
      switch error {
      case .needMore: return bytes.byteCount > headBytes ? .malformed(Self.tooLarge) : .needMore
      case .malformed(let fault): return .malformed(fault)
      }
    }
  }

  static let tooLarge = RequestFault(.headTooLarge, "The request line and header fields are too long")

  /// The number of bytes at the front that are empty lines, which are ignored before a request: old clients send one
  /// after a body (RFC 9112, section 2.2).
  static func emptyLines(_ bytes: RawSpan) -> Int {
    var position = 0
    while position + 1 < bytes.byteCount, bytes[position] == ASCII.carriageReturn,
      bytes[position + 1] == ASCII.lineFeed
    {
      position += 2
    }
    return position
  }

  @inline(__always)
  private func skipEmptyLines(_ bytes: RawSpan) throws(Stop) -> Int {
    guard bytes.byteCount > 0, bytes[0] == ASCII.carriageReturn else { return 0 }
    let position = Self.emptyLines(bytes)
    guard position < bytes.byteCount, bytes[position] == ASCII.carriageReturn else { return position }
    throw position + 1 < bytes.byteCount ? .malformed(Self.loneReturn) : .needMore
  }

  static let loneReturn = RequestFault.malformed("A carriage return without a line feed")

  // MARK: Request line

  @inline(__always)
  private func requestLine(_ bytes: RawSpan, _ position: inout Int, _ head: inout RequestHead) throws(Stop) {
    head.methodName = try methodName(bytes, &position)
    head.method = Self.method(bytes, head.methodName)
    try target(bytes, &position, &head)
    head.minorVersion = try version(bytes, &position)
  }

  @inline(__always)
  private func methodName(_ bytes: RawSpan, _ position: inout Int) throws(Stop) -> Slice {
    let start = position
    position = bytes.first(.token, isIn: false, from: start)
    guard position < bytes.byteCount else { throw .needMore }
    guard bytes[position] == ASCII.space, position > start else {
      throw .malformed("The request line does not begin with a method and a space")
    }
    defer { position &+= 1 }
    return Slice(start, upTo: position)
  }

  @inline(__always)
  private static func method(_ bytes: RawSpan, _ name: Slice) -> Method {
    // GET first, as the most frequent; its three letters and the space are known to be there.
    if name.length == 3,
      UInt32(
        truncatingIfNeeded: bytes.unsafeLoadUnaligned(
          fromByteOffset: Int(name.start), as: UInt32.self
        ).littleEndian) == 0x2054_4547
    {
      return .get
    }
    return Method(bytes.extracting(name.range))
  }

  /// Finds the end of the target and, on the way, where its query begins and whether its path has escapes.
  @inline(__always)
  private func target(_ bytes: RawSpan, _ position: inout Int, _ head: inout RequestHead) throws(Stop) {
    let start = position
    var queryStart = -1
    while true {
      position = bytes.first(.targetSpecial, isIn: true, from: position)
      guard position < bytes.byteCount else {
        if position &- start > targetBytes { throw .malformed(Self.targetTooLong) }
        throw .needMore
      }
      switch bytes[position] {
      case UInt8(ascii: "?"): if queryStart < 0 { queryStart = position }
      case UInt8(ascii: "%"): if queryStart < 0 { head.pathHasEscapes = true }
      case UInt8(ascii: "#"), 0x7F...: throw .malformed("The target holds a character that must be percent-encoded")
      default: return try endTarget(bytes, start, &position, queryStart, &head)
      }
      position &+= 1
    }
  }

  @inline(__always)
  private func endTarget(
    _ bytes: RawSpan, _ start: Int, _ position: inout Int, _ queryStart: Int, _ head: inout RequestHead
  ) throws(Stop) {
    guard bytes[position] == ASCII.space, position > start else {
      throw .malformed("The request line is not a method, a target and a version, with one space between them")
    }
    guard position &- start <= targetBytes else { throw .malformed(Self.targetTooLong) }
    head.target = Slice(start, upTo: position)
    head.hasQuery = queryStart >= 0
    if queryStart >= 0 { head.query = Slice(queryStart &+ 1, upTo: position) }
    head.path = Slice(start, upTo: queryStart >= 0 ? queryStart : position)
    position &+= 1
    if bytes[start] != UInt8(ascii: "/") { try otherForm(bytes, &head) }
  }

  private static let targetTooLong = RequestFault(.targetTooLong, "The target is too long")

  /// Reads a target that is not a path: absolute-form, authority-form or an asterisk (RFC 9112, sections 3.2.2–3.2.4).
  private func otherForm(_ bytes: RawSpan, _ head: inout RequestHead) throws(Stop) {
    let target = bytes.extracting(head.target.range)
    if head.method == .connect || head.method == .other { return }
    if head.method == .options, target.equals("*") {
      head.isAsterisk = true
      return
    }
    let path = bytes.extracting(head.path.range)
    var position: Int
    if path.byteCount >= 7, path.matchesIgnoringCase("http://", at: 0) {
      position = 7
    } else if path.byteCount >= 8, path.matchesIgnoringCase("https://", at: 0) {
      position = 8
    } else {
      throw .malformed("The target is neither a path nor an http URL")
    }
    let authority = position
    while position < path.byteCount, path[position] != UInt8(ascii: "/") { position += 1 }
    guard Authority.isWellFormed(path, authority..<position) else {
      throw .malformed("The target's authority is not a host")
    }
    // An absolute URL without a path asks for "/", which is not in the bytes: `Connection` routes an empty path as "/".
    head.path = Slice(Int(head.path.start) + position, upTo: Int(head.path.start) + path.byteCount)
  }

  /// Reads the version and the end of the line (RFC 9112, section 2.3).
  @inline(__always)
  private func version(_ bytes: RawSpan, _ position: inout Int) throws(Stop) -> UInt8 {
    guard position &+ 10 <= bytes.byteCount else { throw incompleteVersion(bytes, position) }
    // "HTTP/1.1" with its last digit cut off.
    let word = bytes.word(at: position)
    guard word & 0x00FF_FFFF_FFFF_FFFF == 0x002E_312F_5054_5448, bytes[position &+ 7].isASCIIDigit else {
      throw unknownVersion(bytes, position)
    }
    guard bytes[position &+ 8] == ASCII.carriageReturn, bytes[position &+ 9] == ASCII.lineFeed else {
      throw .malformed("The request line does not end with CRLF after the version")
    }
    defer { position &+= 10 }
    return min(1, bytes[position &+ 7] &- UInt8(ascii: "0"))
  }

  /// Asks for more bytes where there are too few for a version, unless those that are there are already wrong.
  private func incompleteVersion(_ bytes: RawSpan, _ position: Int) -> Stop {
    let expected: StaticString = "HTTP/"
    for offset in position..<bytes.byteCount {
      let byte = bytes[offset]
      let index = offset - position
      let fits = index < 5 ? byte == expected.utf8Start[index] : !(byte == ASCII.lineFeed && index < 9)
      guard fits else { return .malformed("The request line does not end with an HTTP version") }
    }
    return .needMore
  }

  private func unknownVersion(_ bytes: RawSpan, _ position: Int) -> Stop {
    guard bytes.matches("HTTP/", at: position), bytes[position + 5].isASCIIDigit,
      bytes[position + 6] == UInt8(ascii: "."),
      bytes[position + 7].isASCIIDigit
    else { return .malformed("The request line does not end with an HTTP version") }
    return .malformed(RequestFault(.versionNotSupported, "The server speaks HTTP/1.1 and HTTP/1.0"))
  }
}

extension RequestParser.Stop {
  static func malformed(_ detail: String) -> RequestParser.Stop { .malformed(RequestFault.malformed(detail)) }
}
