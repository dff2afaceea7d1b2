import Testing

@testable import HTTP

@Suite("Fuzzing HTTP")
struct HTTPFuzz {
  /// What the parser makes of some bytes, with everything it measured.
  private struct Reading: Equatable {
    var outcome: RequestParser.Outcome
    var measures: String
  }

  private let limits: HTTPLimits = {
    var limits = HTTPLimits()
    limits.headBytes = 1_024
    limits.targetBytes = 128
    limits.headerFields = 8
    limits.trailerBytes = 64
    return limits
  }()

  @Test("a head that comes in pieces is read as the whole is")
  func heads() {
    let tokens = [
      "GET ", "POST ", "OPTIONS ", "CONNECT ", "/", "*", "http://a/", "?", "%2e", " HTTP/1.1\r\n", " HTTP/1.0\r\n",
      " HTTP/2.0\r\n", "\r\n",
      "\r", "\n", "Host: a\r\n", "Content-Length: 5\r\n", "Content-Length: +5\r\n", "Transfer-Encoding: chunked\r\n",
      "Transfer-Encoding: gzip, chunked\r\n", "Connection: close, keep-alive\r\n", "Expect: 100-continue\r\n", ": ",
      "\t", " ", "\r\n\r\n", "X:",
      "a: b\r\nc: d\r\ne: f\r\n", "\u{0}", "9223372036854775808", ",",
    ]
    let base = UnsafeMutablePointer<FieldSlice>.allocate(capacity: limits.headerFields)
    defer { base.deallocate() }
    let table = FieldTable(base: base, capacity: limits.headerFields)

    func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
      var head = RequestHead()
      let outcome = RequestParser(limits: limits).parse(bytes.bytes, into: &head, fields: table)
      guard case .request = outcome else { return Reading(outcome: outcome, measures: "") }
      return Reading(outcome: outcome, measures: "\(head)\((0..<head.fieldCount).map { base[$0] })")
    }

    fuzz("head", tokens: tokens) { bytes in
      let whole = read(bytes)
      if case .request(let used) = whole.outcome, !(1...bytes.count).contains(used) {
        throw Finding("uses \(used) bytes")
      }
      for end in 0..<bytes.count {
        let piece = read(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        switch (piece.outcome, whole.outcome) {
        case (.needMore, .request(let used)) where end >= used: throw Finding("wants more at \(end) than \(used)")
        case (.needMore, _): continue
        case (.request, _) where piece == whole: break
        case (.malformed(let early), .malformed(let late)) where early.status == late.status: break
        // A limit may be exceeded before the fault that the whole input shows, and the other way round.
        case (.malformed, .malformed): break
        default: throw Finding("\(piece.outcome) of \(end) bytes, \(whole.outcome) of all \(bytes.count)")
        }
        break
      }
      return "\(whole.outcome)".hashValue
    }
  }

  @Test("a chunked body that comes in pieces is read as the whole is")
  func chunks() {
    let tokens = [
      "0\r\n\r\n", "\r\n", "1\r\n", "5\r\nhello\r\n", "a", "F", ";x=y", "0", "Name: value\r\n", "\n", "\r",
      "fffffffffffffff", " ",
    ]
    fuzz("chunked", tokens: tokens) { bytes in
      let whole = decode(bytes, pieces: max(1, bytes.count))
      for size in [1, 2, 7] {
        let pieces = decode(bytes, pieces: size)
        if pieces != whole { throw Finding("\(pieces) in pieces of \(size), \(whole) as a whole") }
      }
      return whole.hashValue
    }
  }

  /// The body decoded from bytes in pieces of a given size, and how it ended.
  private func decode(_ bytes: UnsafeRawBufferPointer, pieces size: Int) -> String {
    var decoder = ChunkedDecoder(limits: limits)
    var body: [UInt8] = []
    var start = 0
    while start < bytes.count {
      let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + size)])
      var position = 0
      events: while true {
        switch decoder.next(piece.bytes, &position) {
        case .needMore: break events
        case .data(let range): body += piece[range]
        case .end: return "\(body) and \(bytes.count - start - position) bytes more"
        case .malformed(let fault): return "\(body) and \(fault)"
        }
      }
      start += piece.count
    }
    return "\(body) and no end"
  }
}
