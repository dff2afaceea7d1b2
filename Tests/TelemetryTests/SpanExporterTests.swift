import Glibc
import Reactor
import Testing
import Values

@testable import Telemetry

/// An exporter to a scripted collector, with bounds short enough for a test.
private struct Fixture {
  let collector: Collector
  let exporter: SpanExporter
  let queue: SpanQueue
  private let pipe = LogPipe()
  private let sink: LogSink

  init(
    _ script: [Collector.Behaviour], capacity: Int = SpanQueue.bytesPerQueue,
    configure: (inout SpanExporter.Configuration) -> Void = { _ in }, sender: SpanExporter.Sender? = nil
  ) {
    collector = Collector(script)
    sink = LogSink(style: .json(), descriptor: pipe.writing)
    var configuration = SpanExporter.Configuration(url: collector.url)
    configuration.intervalMilliseconds = 20
    // Longer than an answer takes on a busy machine, and than a silent collector keeps a connection.
    configuration.timeoutMilliseconds = 2_000
    configuration.shortestBackoffMilliseconds = 10
    configuration.longestBackoffMilliseconds = 1_000
    configuration.attempts = 3
    configure(&configuration)
    exporter = SpanExporter(
      configuration,
      resource: Resource(service: "terroir", version: "1.2.3", environment: "test", instance: "one"),
      logger: SharedLogger(sink), sender: sender)
    queue = SpanQueue(exporter, capacity: capacity)
  }

  /// Waits until `count` spans were exported, rejected or dropped.
  func settle(_ count: UInt64) {
    for _ in 0..<5_000 {
      if exporter.exportedSpans + exporter.rejectedSpans + exporter.droppedSpans >= count { return }
      usleep(1_000)
    }
    Issue.record("spans did not settle")
  }

  /// Ends the exporter, the collector and the log, and returns the messages that were logged.
  func finish() throws -> [String] {
    #expect(exporter.close(deadlineMilliseconds: 5_000))
    collector.stop()
    #expect(sink.close(deadlineMilliseconds: 5_000))
    return try pipe.finish().map { try LineReader.members($0)[2].value }
  }
}

private let trace = TraceContext(
  traceID: TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)!, spanID: SpanID(0x1112_1314_1516_1718)!,
  isSampled: true, state: "a=b")

private func span(_ name: String = "work") -> Span {
  Span(
    name, kind: .internal, context: trace, parentID: SpanID(0x2122_2324_2526_2728), startUnixNanoseconds: 1_000,
    endUnixNanoseconds: 2_500)
}

@Test("exports a request's span as the semantic conventions require")
func httpSpan() throws {
  let fixture = Fixture([.status(200)]) { $0.headers = [("X-Key", "k")] }
  var request = Span(
    "", kind: .server, context: trace, parentID: nil, startUnixNanoseconds: 1_795_253_400_007_000_000,
    endUnixNanoseconds: 1_795_253_400_008_000_000)
  request.describeHTTP(
    method: "GET", route: "/api/orders/{id}", path: "/api/orders/7", statusCode: 503, clientAddress: "192.0.2.1",
    userAgent: "curl/8é", serverAddress: "api.example.org", serverPort: 443)
  request.set("flag", true)
  request.set("ratio", 0.5)
  request.set("negative", -1)
  fixture.queue.add(request)
  fixture.settle(1)
  #expect(try fixture.finish() == [])
  let received = try #require(fixture.collector.received.first)
  #expect(received.head.hasPrefix("POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:\(fixture.collector.port)\r\n"))
  #expect(received.head.contains("\r\nContent-Type: application/x-protobuf\r\n"))
  #expect(received.head.contains("\r\nX-Key: k\r\n"))
  let export = ExportedSpans(received.body)
  #expect(export.resource["service.name"] == "terroir")
  #expect(export.resource["service.version"] == "1.2.3")
  #expect(export.resource["deployment.environment"] == "test")
  #expect(export.resource["deployment.environment.name"] == "test")
  #expect(export.resource["service.instance.id"] == "one")
  #expect(export.scope == ["terroir", "1.2.3"])
  try #require(export.spans.count == 1)
  #expect(export.bytes(0, 1) == Array(1...16))
  #expect(export.bytes(0, 2) == Array(0x11...0x18))
  #expect(export.text(0, 3) == "a=b")
  #expect(export.bytes(0, 4) == nil)
  #expect(export.text(0, 5) == "GET /api/orders/{id}")
  #expect(export.number(0, 6) == 2)
  #expect(export.number(0, 7) == 1_795_253_400_007_000_000)
  #expect(export.number(0, 8) == 1_795_253_400_008_000_000)
  #expect(export.bytes(0, 15) == [0x18, 2])
  #expect(
    export.attributes(0) == [
      "http.request.method": "GET", "http.route": "/api/orders/{id}", "url.scheme": "http",
      "url.path": "/api/orders/7", "http.response.status_code": "503", "client.address": "192.0.2.1",
      "user_agent.original": "curl/8é", "server.address": "api.example.org", "server.port": "443",
      "error.type": "503", "flag": "true", "ratio": "0.5", "negative": "-1",
    ])
}

@Test("exports a query's span with its parent and its failure")
func databaseSpan() throws {
  let fixture = Fixture([.status(200)])
  var query = Span(
    "", kind: .client, context: trace, parentID: SpanID(9), startUnixNanoseconds: 1, endUnixNanoseconds: 2)
  query.describeDatabase(
    .postgresql, operation: "INSERT", summary: "INSERT orders", namespace: "terroir", error: "23505")
  fixture.queue.add(query)
  fixture.settle(1)
  _ = try fixture.finish()
  let export = ExportedSpans(fixture.collector.received[0].body)
  #expect(export.text(0, 5) == "INSERT orders")
  #expect(export.number(0, 6) == 3)
  #expect(export.bytes(0, 4) == [0, 0, 0, 0, 0, 0, 0, 9])
  #expect(
    export.attributes(0) == [
      "db.system.name": "postgresql", "db.operation.name": "INSERT", "db.query.summary": "INSERT orders",
      "db.namespace": "terroir", "error.type": "23505",
    ])
}

@Test("a client error leaves the span's status unset")
func clientFault() {
  var request = span()
  request.describeHTTP(
    method: nil, route: nil, path: "/", statusCode: 404, clientAddress: "::1", userAgent: nil, serverAddress: nil,
    serverPort: nil)
  #expect(request.status == .unset)
  #expect(request.name == "HTTP")
}

@Test("cuts hostile attributes down and counts those left out")
func boundedSpan() throws {
  let fixture = Fixture([.status(200)])
  var large = span(String(repeating: "é", count: 10_000))
  for _ in 0..<100 { large.set("k", String(repeating: "𝄞", count: 10_000)) }
  large.status = .error(String(repeating: "x", count: 10_000))
  fixture.queue.add(large)
  fixture.settle(1)
  _ = try fixture.finish()
  let export = ExportedSpans(fixture.collector.received[0].body)
  #expect(export.text(0, 5) == String(repeating: "é", count: 2_048))
  #expect(export.attributes(0) == ["k": String(repeating: "𝄞", count: 1_024)])
  let written = try #require(export.spans[0][9]).count
  #expect(written < 10)
  #expect(export.number(0, 10) == UInt64(100 - written))
}

@Test("retries after a transient refusal", arguments: [429, 502, 503, 504])
func retries(status: Int) throws {
  let fixture = Fixture([.status(status), .status(status), .status(200)])
  fixture.queue.add(span())
  fixture.settle(1)
  #expect(fixture.exporter.exportedSpans == 1)
  #expect(try fixture.finish() == [])
  let received = fixture.collector.received
  #expect(received.count == 3)
  #expect(received[0].body == received[2].body)
}

@Test("waits as long as the collector asks for before it retries")
func retryAfter() throws {
  let fixture = Fixture([.status(503, headers: "Retry-After: 1\r\n"), .status(200)])
  let start = Clock.monotonicMilliseconds()
  fixture.queue.add(span())
  fixture.settle(1)
  #expect(Clock.monotonicMilliseconds() - start >= 1_000)
  _ = try fixture.finish()
}

@Test(
  "reads Retry-After only as seconds in digits",
  arguments: [("120", 120), ("+5", nil), ("-5", nil), ("", nil), ("Wed, 21 Oct 2026 07:28:00 GMT", nil)]
    as [(String, Int?)])
func retryAfterDigits(text: String, seconds: Int?) {
  let answer = PlainHTTP.Answer(status: 503, headers: [("Retry-After", text)])
  #expect(OTLPAnswer(answer) == .again(afterSeconds: seconds))
}

@Test("does not retry after any other refusal", arguments: [400, 401, 404, 413, 500])
func refusals(status: Int) throws {
  let fixture = Fixture([.status(status)])
  fixture.queue.add(span())
  fixture.settle(1)
  #expect(fixture.exporter.droppedSpans == 1)
  #expect(try fixture.finish() == ["Spans not exported"])
  #expect(fixture.collector.received.count == 1)
}

@Test("retries when the collector is silent, hangs up, or answers in part or in nonsense")
func badCollectors() throws {
  let scripts: [[Collector.Behaviour]] = [
    [.silent, .status(200)], [.cut, .status(200)], [.bytes("HTTP/1.1 200 OK\r\nContent-Le"), .status(200)],
    [.bytes("nonsense\r\n\r\n"), .status(200)],
    [.bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234"), .status(200)],
    [.bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), .status(200)],
  ]
  for script in scripts {
    let fixture = Fixture(script)
    fixture.queue.add(span())
    fixture.settle(1)
    #expect(fixture.exporter.exportedSpans == 1)
    _ = try fixture.finish()
  }
}

@Test("gives up a batch after its attempts, warns once, and logs when exporting works again")
func givesUp() throws {
  let fixture = Fixture([.status(503), .status(503), .status(503), .status(400), .status(200)])
  for sent in 1...3 as ClosedRange<UInt64> {
    fixture.queue.add(span())
    fixture.settle(sent)
  }
  #expect(fixture.exporter.droppedSpans == 2)
  #expect(fixture.exporter.exportedSpans == 1)
  #expect(try fixture.finish() == ["Spans not exported", "Exporting spans again"])
}

@Test("counts the spans of a batch that the collector accepts only in part")
func partialSuccess() throws {
  // ExportTraceServiceResponse { partial_success { rejected_spans: 2, error_message: "no" } }
  let inPart = Collector.Behaviour.status(200, body: [0x0A, 6, 0x08, 2, 0x12, 2, 0x6E, 0x6F])
  let fixture = Fixture([.silent, .status(200), inPart])
  // A first span keeps the exporter busy, so that the three behind it are one batch.
  fixture.queue.add(span())
  for _ in 0..<5_000 where fixture.collector.received.isEmpty { usleep(1_000) }
  for _ in 0..<3 { fixture.queue.add(span()) }
  fixture.settle(4)
  #expect(fixture.exporter.rejectedSpans == 2)
  #expect(fixture.exporter.exportedSpans == 2)
  #expect(fixture.exporter.droppedSpans == 0)
  #expect(try fixture.finish() == ["Spans rejected by the collector"])
}

@Test("reads a chunked answer, an interim one and one that ends with the connection")
func answerForms() throws {
  let forms = [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\n\n\u{2}\u{8}\u{1}\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\n\u{2}\u{8}\u{1}",
    "HTTP/1.0 200 OK\r\n\r\n\n\u{2}\u{8}\u{1}",
  ]
  for form in forms {
    let fixture = Fixture([.bytes(form)])
    fixture.queue.add(span())
    fixture.settle(1)
    #expect(fixture.exporter.rejectedSpans == 1)
    _ = try fixture.finish()
  }
}

@Test("sends batches of at most 512, and all of them when it is closed")
func batches() throws {
  let fixture = Fixture([.status(200)]) { $0.intervalMilliseconds = 60_000 }
  for number in 0..<1_300 { fixture.queue.add(span("\(number)")) }
  _ = try fixture.finish()
  #expect(fixture.exporter.exportedSpans == 1_300)
  let exports = fixture.collector.received.map { ExportedSpans($0.body) }
  #expect(exports.allSatisfy { $0.spans.count <= SpanBatch.maximumSpans })
  let names = exports.flatMap { export in export.spans.indices.map { export.text($0, 5)! } }
  #expect(names == (0..<1_300).map(String.init))
}

@Test("drops and counts spans when the queue is full")
func fullQueue() throws {
  let fixture = Fixture([.silent, .status(200)], capacity: 4_096) { $0.intervalMilliseconds = 60_000 }
  for _ in 0..<200 { fixture.queue.add(span()) }
  let dropped = fixture.exporter.droppedSpans
  // How many fit depends on how often the exporter empties the queue meanwhile.
  #expect(dropped > 0)
  #expect(dropped < 200)
  _ = try fixture.finish()
  #expect(fixture.exporter.droppedSpans + fixture.exporter.exportedSpans == 200)
}

@Test("closes within its deadline although a batch waits for its retry")
func closesInTime() throws {
  let fixture = Fixture([.status(503)]) {
    $0.attempts = 1_000
    $0.longestBackoffMilliseconds = 60_000
    $0.shortestBackoffMilliseconds = 60_000
  }
  fixture.queue.add(span())
  usleep(100_000)
  let start = Clock.monotonicMilliseconds()
  #expect(try fixture.finish() == ["Spans not exported"])
  #expect(Clock.monotonicMilliseconds() - start < 3_000)
}

@Test("passes requests for https to the given sender")
func injectedSender() throws {
  let fixture = Fixture(
    [.status(200)], configure: { $0.url = ServiceURL("https://collector.example.org/v1/traces")! },
    sender: { request in
      #expect(request.url.scheme == "https")
      return PlainHTTP.Answer(status: 200)
    })
  fixture.queue.add(span())
  fixture.settle(1)
  #expect(fixture.exporter.exportedSpans == 1)
  _ = try fixture.finish()
  #expect(fixture.collector.received.isEmpty)
}

@Test("says why there is no answer")
func failures() {
  #expect(throws: PlainHTTP.Failure.unreachable("Connection refused")) {
    let collector = Collector([.cut])
    collector.stop()
    return try PlainHTTP.send(PlainHTTP.Request(url: collector.url), timeoutMilliseconds: 1_000)
  }
  let silent = Collector([.silent])
  #expect(throws: PlainHTTP.Failure.timeout) {
    try PlainHTTP.send(PlainHTTP.Request(url: silent.url), timeoutMilliseconds: 50)
  }
  silent.stop()
}
