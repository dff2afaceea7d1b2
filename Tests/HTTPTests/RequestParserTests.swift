import Testing

@testable import HTTP

@Suite("The request parser")
struct RequestParserTests {
  @Test("measures a request line and its fields")
  func plain() {
    let text =
      "GET /api/orders?limit=5&x HTTP/1.1\r\nHost: a.example:3000\r\nX-Empty:\r\nAccept: \t text/html \t\r\n\r\nrest"
    let parsed = Parsed(text)
    #expect(parsed.outcome == .request(used: text.utf8.count - 4))
    #expect(parsed.method == .get)
    #expect(parsed.target == "/api/orders?limit=5&x")
    #expect(parsed.path == "/api/orders")
    #expect(parsed.query == "limit=5&x")
    #expect(parsed.fields == ["Host=a.example:3000", "X-Empty=", "Accept=text/html"])
    #expect(parsed.framing == .none)
    #expect(parsed.keepsAlive)
  }

  static let accepted: [(String, String)] = [
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "/"),
    ("GET / HTTP/1.1\r\nhOST:a\r\n\r\n", "/"),
    ("GET / HTTP/1.9\r\nHost: a\r\n\r\n", "/"),
    ("GET / HTTP/1.0\r\n\r\n", "/"),
    ("\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", "/x"),
    ("GET http://a.example/x?y HTTP/1.1\r\nHost: b\r\n\r\n", "/x"),
    ("GET HTTPS://a.example:1 HTTP/1.1\r\nHost: b\r\n\r\n", ""),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*"),
    ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "a:443"),
    ("get / HTTP/1.1\r\nHost: a\r\n\r\n", "/"),
    ("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "/pot"),
    ("GET /?? HTTP/1.1\r\nHost: a\r\n\r\n", "/"),
    ("GET //..//%2e HTTP/1.1\r\nHost: a\r\n\r\n", "//..//%2e"),
    ("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "/"),
    ("GET / HTTP/1.1\r\nHost: a:65535 \r\n\r\n", "/"),
    ("GET / HTTP/1.1\r\nHost: 127.0.0.1:00000080\r\n\r\n", "/"),
    ("GET / HTTP/1.1\r\nHost: b%C3%BCcher.example:80\r\n\r\n", "/"),
    ("GET / HTTP/1.1\r\nHost: [2001:db8::192.0.2.1]\r\n\r\n", "/"),
    ("GET http://[::1]:80/x HTTP/1.1\r\nHost: a\r\n\r\n", "/x"),
    ("GET / HTTP/1.1\r\nHost: [::1]:80\r\nX: a\tb \u{E9}\r\n\r\n", "/"),
  ]

  @Test("accepts well-formed requests, whole and byte by byte", arguments: accepted)
  func accepts(_ text: String, _ path: String) {
    for parsed in [Parsed(text), Parsed.byteByByte(text)] {
      #expect(parsed.outcome == .request(used: text.utf8.count))
      #expect(parsed.path == path)
    }
  }

  static let line = "POST / HTTP/1.1\r\nHost: a\r\n"

  static let refused: [(UInt16, String)] = [
    // Request line
    (400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\nHost: a\n\n"),
    (400, "GET / HTTP/1.1\rHost: a\r\r"),
    (400, "GET /\r\nHost: a\r\n\r\n"),
    (400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/11\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.x\r\nHost: a\r\n\r\n"),
    (400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET http://u@h/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /\u{E9} HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "\u{16}\u{3}\u{1}\u{2}"),
    (400, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".replacing("PRI *", with: "PRI /")),
    (505, "GET / HTTP/0.9\r\n\r\n"),
    // Fields
    (400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\n: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\nb\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a long value with \u{1} in it\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a long value with \u{7F} in it\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX\u{E9}: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\n\r "),
    (400, "GET / HTTP/1.1\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a::80\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a:184467440737095516160\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a:8-\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: [\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: [127.0.0.1]\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: [::1]80\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a[::1]\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a%2\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a%zzb\r\n\r\n"),
    (400, "GET / HTTP/1.0\r\nHost: a:b\r\n\r\n"),
    (400, "GET http://a:65536/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET http://a:1:1/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    // Framing
    (400, line + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    (400, line + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
    (400, line + "Content-Length: 1, 1\r\n\r\n"),
    (400, line + "Content-Length: +1\r\n\r\n"),
    (400, line + "Content-Length: -1\r\n\r\n"),
    (400, line + "Content-Length: 0x1\r\n\r\n"),
    (400, line + "Content-Length: 1 1\r\n\r\n"),
    (400, line + "Content-Length:\r\n\r\n"),
    (413, line + "Content-Length: 99999999999999999999\r\n\r\n"),
    (400, line + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (400, line + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
    (400, line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (400, line + "Transfer-Encoding: chunked, chunked\r\n\r\n"),
    (400, line + "Transfer-Encoding:\r\n\r\n"),
    (400, line + "Transfer-Encoding: chun ked\r\n\r\n"),
    (501, line + "Transfer-Encoding: gzip, chunked\r\n\r\n"),
    (501, line + "Transfer-Encoding: gzip, deflate , Chunked\r\n\r\n"),
    (400, line + "Transfer-Encoding: gzip\r\n\r\n"),
    (400, line + "Transfer-Encoding: identity\r\n\r\n"),
    (400, line + "Transfer-Encoding: xchunked\r\n\r\n"),
    (400, line + "Transfer-Encoding: chunked, gzip\r\n\r\n"),
    (400, line + "Transfer-Encoding: chunked, gzip, chunked\r\n\r\n"),
    (400, line + "Transfer-Encoding: chunked;q=1\r\n\r\n"),
    (400, line + "Transfer-Encoding: chunked,\r\n\r\n"),
    (400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (417, line + "Content-Length: 1\r\nExpect: 200-ok\r\n\r\n"),
  ]

  @Test("refuses all others, each with its status, whole and byte by byte", arguments: refused)
  func refuses(_ status: UInt16, _ text: String) {
    #expect(Parsed(text).status == status)
    #expect(Parsed.byteByByte(text).status == status)
    #expect(Parsed(text + "more\r\n\r\n").status == status)
  }

  @Test("finds how the body is framed")
  func framing() {
    #expect(Parsed(Self.line + "Content-Length: 0012\r\n\r\n").framing == .length(12))
    #expect(Parsed(Self.line + "content-length: 0\r\n\r\n").framing == .none)
    #expect(Parsed(Self.line + "TRANSFER-ENCODING: Chunked\r\n\r\n").framing == .chunked)
  }

  static let persistence: [(String, Bool)] = [
    ("GET / HTTP/1.1\r\nHost: a\r\n", true),
    ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", false),
    ("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, ,CLOSE ,bar\r\n", false),
    ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n", true),
    ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n", false),
    ("GET / HTTP/1.0\r\n", false),
    ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", true),
    ("GET / HTTP/1.0\r\nConnection: te, keep-alive\r\n", true),
  ]

  @Test("finds whether the connection is kept alive", arguments: persistence)
  func keepAlive(_ text: String, _ stays: Bool) {
    #expect(Parsed(text + "\r\n").keepsAlive == stays)
  }

  @Test("honours 100-continue for a body, and ignores any expectation in HTTP/1.0")
  func expectation() {
    #expect(Parsed(Self.line + "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n").expectsContinue)
    #expect(!Parsed(Self.line + "Expect: 100-continue\r\n\r\n").expectsContinue)
    #expect(!Parsed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n").expectsContinue)
    #expect(Parsed("POST / HTTP/1.0\r\nExpect: tea\r\n\r\n").status == nil)
  }

  @Test("holds the target, the number of fields and the head to their limits")
  func limits() {
    var limits = HTTPLimits()
    limits.targetBytes = 20
    limits.headerFields = 3
    limits.headBytes = 100
    func status(_ text: String) -> UInt16? {
      #expect(Parsed(text, limits: limits).status == Parsed.byteByByte(text, limits: limits).status)
      return Parsed(text, limits: limits).status
    }
    let host = " HTTP/1.1\r\nHost: a\r\n"
    #expect(status("GET /" + String(repeating: "a", count: 19) + host + "\r\n") == nil)
    #expect(status("GET /" + String(repeating: "a", count: 20) + host + "\r\n") == 414)
    #expect(status("GET /" + String(repeating: "a", count: 200)) == 414)
    #expect(status("GET /" + host + "A: 1\r\nB: 2\r\n\r\n") == nil)
    #expect(status("GET /" + host + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n") == 431)
    let value = String(repeating: "v", count: 100 - 23 - 7 - 1)
    #expect(status("GET /" + host + "A: " + value + "\r\n\r\n") == 431)
    #expect(status("GET /" + host + "A: " + value) == nil)
    #expect(status("GET /" + host + "A: " + value + value) == 431)
  }

  @Test("finds each of several requests that came together")
  func pipelined() {
    let texts = Self.accepted.map(\.0)
    var bytes = Array(texts.joined().utf8)
    for text in texts {
      guard case .request(let used) = Parsed(bytes).outcome else {
        Issue.record("no request at \(text)")
        return
      }
      #expect(used == text.utf8.count)
      bytes.removeFirst(used)
    }
    #expect(bytes.isEmpty)
  }

  @Test("reads every method by its name")
  func methods() {
    for method in Method.allCases where method != .other && method != .connect {
      #expect(Parsed("\(method.name) / HTTP/1.1\r\nHost: a\r\n\r\n").method == method)
    }
    #expect(Parsed("GETS / HTTP/1.1\r\nHost: a\r\n\r\n").method == .other)
  }
}
