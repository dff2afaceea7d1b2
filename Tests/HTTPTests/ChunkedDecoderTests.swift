import Testing

@testable import HTTP

@Suite("The chunked decoder")
struct ChunkedDecoderTests {
  enum Outcome: Equatable {
    case body(String, rest: Int)
    case incomplete
    case refused(UInt16)
  }

  /// Decodes `text`, which comes in pieces of `pieces` bytes.
  static func decode(_ text: String, pieces: Int, limits: HTTPLimits = HTTPLimits()) -> Outcome {
    var decoder = ChunkedDecoder(limits: limits)
    let bytes = Array(text.utf8)
    var body: [UInt8] = []
    var start = 0
    while start < bytes.count {
      let piece = Array(bytes[start..<min(bytes.count, start + pieces)])
      var position = 0
      events: while true {
        switch decoder.next(piece.span.bytes, &position) {
        case .needMore: break events
        case .data(let range): body += piece[range]
        case .end: return .body(String(decoding: body, as: UTF8.self), rest: bytes.count - start - position)
        case .malformed(let fault): return .refused(fault.status.rawValue)
        }
      }
      #expect(position == piece.count)
      start += piece.count
    }
    return .incomplete
  }

  static let cases: [(String, Outcome)] = [
    ("0\r\n\r\n", .body("", rest: 0)),
    ("000\r\n\r\nGET", .body("", rest: 3)),
    ("5\r\nhello\r\n0\r\n\r\n", .body("hello", rest: 0)),
    ("5\r\nhello\r\n00A\r\n, \r\nworld!\r\n0\r\n\r\nX", .body("hello, \r\nworld!", rest: 1)),
    ("a\r\n0123456789\r\n0\r\n\r\n", .body("0123456789", rest: 0)),
    ("1;name=value;other=\"q\"\r\nx\r\n0;last\r\n\r\n", .body("x", rest: 0)),
    ("1;a;b=c;d=\"e;\\\"f\\\\\t\";g\r\nx\r\n0\r\n\r\n", .body("x", rest: 0)),
    ("1 ; a\t= b ;c = \"\"\r\nx\r\n0\r\n\r\n", .body("x", rest: 0)),
    ("1\r\nx\r\n0\r\nTrailer: dropped\r\nOther:\tone\r\n\r\n", .body("x", rest: 0)),
    ("5\r\nhell", .incomplete),
    ("5\r\nhello\r\n0\r\n", .incomplete),
    ("\r\n\r\n", .refused(400)),
    ("+5\r\nhello\r\n0\r\n\r\n", .refused(400)),
    ("-1\r\n", .refused(400)),
    ("0x5\r\nhello\r\n", .refused(400)),
    (" 5\r\nhello\r\n", .refused(400)),
    ("5 \r\nhello\r\n", .refused(400)),
    ("5\nhello\n0\n\n", .refused(400)),
    ("5\rhello", .refused(400)),
    ("5\r\nhelloo\r\n", .refused(400)),
    ("5\r\nhello\n0\r\n\r\n", .refused(400)),
    ("5\r\nhello\rx", .refused(400)),
    ("5;a\nb\r\nhello\r\n", .refused(400)),
    ("5;a\u{0}b\r\nhello\r\n", .refused(400)),
    ("1;\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1 ;\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a \r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a=b \r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;;a\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;=b\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a=\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a=b=c\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a b\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a=b c\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a=\"b\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a=\"b\"c\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a=\"\\\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a=(b)\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("1;a\u{E9}\r\nx\r\n0\r\n\r\n", .refused(400)),
    ("0000000000000001\r\nx", .refused(400)),
    ("FFFFFFFFFFFFFFFFF\r\nx", .refused(400)),
    ("0\r\nName\r\n\r\n", .refused(400)),
    ("0\r\nName : x\r\n\r\n", .refused(400)),
    ("0\r\n folded\r\n\r\n", .refused(400)),
    ("0\r\nA: b\n\r\n", .refused(400)),
    ("0\r\n\n", .refused(400)),
    ("0\r\n\rX", .refused(400)),
  ]

  @Test("takes or refuses a body the same, whole and in pieces of any size", arguments: cases)
  func table(_ text: String, _ outcome: Outcome) {
    for pieces in [1, 2, 3, 7, 1_000] {
      #expect(Self.decode(text, pieces: pieces) == outcome)
    }
  }

  @Test("bounds extensions and trailers")
  func bounds() {
    var limits = HTTPLimits()
    limits.chunkLineBytes = 10
    limits.trailerBytes = 20
    #expect(Self.decode("1;12345678\r\nx\r\n0\r\n\r\n", pieces: 99, limits: limits) == .refused(400))
    #expect(Self.decode("1;1234567\r\nx\r\n0;1234567\r\n\r\n", pieces: 99, limits: limits) == .body("x", rest: 0))
    #expect(Self.decode("0\r\nA: 1\r\nB: 2\r\n\r\n", pieces: 99, limits: limits) == .body("", rest: 0))
    #expect(Self.decode("0\r\nA: 1\r\nB: 2\r\nC: 345\r\n\r\n", pieces: 99, limits: limits) == .refused(431))
  }
}
