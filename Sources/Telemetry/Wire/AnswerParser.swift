import Values

/// Puts an HTTP/1.1 answer together from the pieces in which it comes (RFC 9112).
///
/// It reads what well-behaved servers send, and bounds what others might: no answer is trusted.
struct AnswerParser {
  private let maximumBytes: Int
  private var bytes: [UInt8] = []

  /// `maximumBytes` bounds head and body together.
  init(maximumBytes: Int = PlainHTTP.maximumAnswerBytes) { self.maximumBytes = maximumBytes }

  /// Takes the next piece; an empty one is the end of the connection. Returns the answer once it is complete.
  mutating func take(_ piece: [UInt8]) throws(PlainHTTP.Failure) -> PlainHTTP.Answer? {
    bytes += piece
    guard bytes.count <= maximumBytes else { throw .malformed("too long") }
    while let headEnd = Self.find([13, 10, 13, 10], in: bytes[...]) {
      let head = try Self.head(bytes[..<headEnd])
      // An interim answer (RFC 9110, section 15.2) is followed by the real one.
      if (100..<200).contains(head.status) {
        bytes.removeFirst(headEnd + 4)
        continue
      }
      guard let body = try body(bytes[(headEnd + 4)...], head, isAtEnd: piece.isEmpty) else { return nil }
      return PlainHTTP.Answer(status: head.status, headers: head.headers, body: body)
    }
    return nil
  }

  private static func head(_ bytes: ArraySlice<UInt8>) throws(PlainHTTP.Failure) -> PlainHTTP.Answer {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = UInt16(words[1]),
      status >= 100
    else { throw .malformed("status line") }
    var headers: [(name: String, value: String)] = []
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { throw .malformed("header") }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      headers.append((String(line[..<colon]), String(value)))
    }
    return PlainHTTP.Answer(status: Int(status), headers: headers)
  }

  /// The whole body, or nil while there is more to come (RFC 9112, section 6.3).
  private func body(
    _ bytes: ArraySlice<UInt8>, _ head: PlainHTTP.Answer, isAtEnd: Bool
  ) throws(PlainHTTP.Failure) -> [UInt8]? {
    if head.status == 204 || head.status == 304 { return [] }
    if let coding = head.header("Transfer-Encoding") {
      guard coding.lowercased() == "chunked" else { throw .malformed("transfer coding") }
      return try dechunked(bytes)
    }
    if let text = head.header("Content-Length") {
      guard let length = Int(digits: text) else { throw .malformed("length") }
      return bytes.count < length ? nil : Array(bytes.prefix(length))
    }
    return isAtEnd ? Array(bytes) : nil
  }

  private func dechunked(_ bytes: ArraySlice<UInt8>) throws(PlainHTTP.Failure) -> [UInt8]? {
    var body: [UInt8] = []
    var rest = bytes
    while let end = Self.find([13, 10], in: rest) {
      let line = String(decoding: rest[..<end].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
      guard line.utf8.first.map({ $0 != 0x2B && $0 != 0x2D }) == true, let size = Int(line, radix: 16),
        size <= maximumBytes
      else { throw .malformed("chunk") }
      if size == 0 { return body }
      guard rest.endIndex - end >= 2 + size + 2 else { return nil }
      body += rest[(end + 2)..<(end + 2 + size)]
      rest = rest[(end + 2 + size + 2)...]
    }
    return nil
  }

  private static func find(_ pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count >= pattern.count else { return nil }
    return (bytes.startIndex...(bytes.endIndex - pattern.count)).first { start in
      bytes[start..<start + pattern.count].elementsEqual(pattern)
    }
  }
}
