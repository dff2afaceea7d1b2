import HTTP

extension Benchmark {
  /// Request heads: a probe's, and a browser's.
  static let heads = [
    Benchmark("head-of-probe", iterations: 20_000) { parsing("GET /livez HTTP/1.1\r\nHost: terroir.example\r\n\r\n") },
    Benchmark("head-of-browser", iterations: 5_000) { parsing(browserHead) },
  ]

  static let browserHead = """
    GET /api/gardens/0193a1f2-6c5e-7b1a-9d3f-2a4b6c8d0e1f HTTP/1.1\r
    Host: terroir.example\r
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r
    Accept-Language: en-GB,en;q=0.5\r
    Accept-Encoding: gzip, deflate, br, zstd\r
    Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzYTFmMiJ9.c2lnbmF0dXJl\r
    Connection: keep-alive\r
    Cookie: theme=dark; consent=none\r
    Sec-Fetch-Dest: document\r
    Sec-Fetch-Mode: navigate\r
    Sec-Fetch-Site: same-origin\r
    traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r
    \r

    """

  private static func parsing(_ text: String) -> (Int) -> Void {
    let limits = HTTPLimits()
    let parser = RequestParser(limits: limits)
    let bytes = Array(text.utf8)
    let fields = FieldTable(base: .allocate(capacity: limits.headerFields), capacity: limits.headerFields)
    return { count in
      var head = RequestHead()
      for _ in 0..<count {
        let outcome = parser.parse(bytes.span.bytes, into: &head, fields: fields)
        precondition(outcome == .request(used: bytes.count))
      }
    }
  }
}
