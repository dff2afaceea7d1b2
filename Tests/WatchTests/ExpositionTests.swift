import Testing

@testable import Watch

/// The exposition of a server: samples of requests and their durations.
func exposition(
  start: Double? = 100, requests: [(route: String, status: Int, count: Int)] = [],
  buckets: [(route: String, bound: String, count: Int)] = []
) -> [UInt8] {
  var text = "# HELP http_requests_total Requests answered or refused.\n# TYPE http_requests_total counter\n"
  for (route, status, count) in requests {
    text +=
      #"http_requests_total{method="GET",route="\#(route)",status="\#(status)",status_class="\#(status / 100)xx"} "#
    text += "\(count)\n"
  }
  for (route, bound, count) in buckets {
    text += #"http_request_duration_seconds_bucket{route="\#(route)",le="\#(bound)",status="200"} \#(count)"# + "\n"
  }
  if let start { text += "process_start_time_seconds \(start)\n" }
  return Array(text.utf8)
}

@Suite("Reading the text exposition")
struct ExpositionTests {
  static let lines: [(String, TextExposition.Sample)] = [
    ("a 1", .init(name: "a", value: 1)),
    ("a{} 2.5e-3", .init(name: "a", value: 0.0025)),
    ("  a{b=\"c\"} +Inf\r", .init(name: "a", labels: [.init(name: "b", value: "c")], value: .infinity)),
    (#"a{b="c\"d\\e\nf",} 3 1700000000"#, .init(name: "a", labels: [.init(name: "b", value: "c\"d\\e\nf")], value: 3)),
    (
      #"a{b="}",c="x y"} -1"#,
      .init(name: "a", labels: [.init(name: "b", value: "}"), .init(name: "c", value: "x y")], value: -1)
    ),
  ]

  @Test("a line is a name, labels and a value", arguments: lines)
  func samples(line: String, sample: TextExposition.Sample) throws {
    #expect(try TextExposition.samples(Array("# HELP a x\n\n\(line)\n".utf8)) { _ in true } == [sample])
  }

  @Test(
    "a malformed line is reported by its number",
    arguments: ["a", "a{", "a{b}", #"a{b="c} 1"#, #"a{b="c" d="e"} 1"#, "a x", "=1", #"a{b="\"#])
  func brokenLines(line: String) {
    #expect(throws: TextExposition.Malformed(line: 2)) {
      try TextExposition.samples(Array("a 1\n\(line)\n".utf8)) { _ in true }
    }
  }

  @Test("lines with other names are skipped, whatever follows the name")
  func unwanted() throws {
    #expect(try TextExposition.samples(Array("b{ 1\na 1\n".utf8)) { $0 == "a" }.count == 1)
  }

  @Test("the API is all /api routes except probes, and the duration of a stream is not a latency")
  func selection() throws {
    let tally = try Tally(
      exposition: exposition(
        requests: [
          ("/api/gardens", 200, 7), ("/api/gardens", 503, 2), ("/api/health", 503, 50), ("/version", 500, 90),
          ("/api/gardens/{id}/events", 200, 1),
        ],
        buckets: [
          ("/api/gardens", "0.1", 8), ("/api/gardens", "+Inf", 9), ("/api/gardens/{id}/events", "+Inf", 1),
          ("/version", "0.1", 90),
        ]))
    #expect(tally.startTime == 100)
    #expect(tally.all == Traffic(requests: 10, failures: 2, latencies: [0.1: 8, .infinity: 9]))
  }

  @Test("the metrics of anything but this server are refused")
  func foreign() {
    #expect(throws: Tally.Unreadable.self) { try Tally(exposition: Array("up 1\n".utf8)) }
    #expect(throws: Tally.Unreadable.self) { try Tally(exposition: Array("<html>".utf8)) }
  }

  @Test("a difference counts what was added since, and counts a series that fell or is new from zero")
  func differences() throws {
    let before = try Tally(
      exposition: exposition(
        requests: [("/api/a", 200, 100), ("/api/b", 500, 40)], buckets: [("/api/a", "0.1", 100)]))
    let after = try Tally(
      exposition: exposition(
        requests: [("/api/a", 200, 130), ("/api/b", 500, 3), ("/api/c", 502, 5)],
        buckets: [("/api/a", "0.1", 120), ("/api/c", "0.1", 5)]))
    #expect(after.since(before) == Traffic(requests: 38, failures: 8, latencies: [0.1: 25]))
    #expect(before.since(before) == Traffic(latencies: [0.1: 0]))
  }

  @Test(
    "P95 is interpolated linearly within its bucket, as Prometheus does",
    arguments: [
      ([0.1: 100, .infinity: 100], 0.095), ([0.1: 90, 0.2: 100, .infinity: 100], 0.15),
      ([0.1: 90, 0.2: 90, .infinity: 100], .infinity), ([0.1: 0, 0.2: 10, .infinity: 10], 0.195),
      ([0.1: 0, .infinity: 0], nil), ([:], nil),
    ] as [([Double: Double], Double?)])
  func quantiles(latencies: [Double: Double], p95: Double?) {
    let found = Traffic(latencies: latencies).p95
    guard let found, let p95, p95.isFinite else {
      #expect(found == p95)
      return
    }
    #expect(abs(found - p95) < 1e-9)
  }

  @Test(
    "a time span is digits and a unit, and at most a week",
    arguments: [
      ("200ms", 0.2), ("5s", 5), ("10m", 600), ("1h", 3_600), ("168h", 604_800), ("169h", nil), ("0s", nil), ("5", nil),
      ("s", nil), ("-5s", nil), ("+5s", nil), ("1.5s", nil), ("5 s", nil), ("", nil), ("99999999999999999999s", nil),
    ] as [(String, Double?)])
  func timeSpans(text: String, seconds: Double?) { #expect(TimeSpan.seconds(text) == seconds) }
}
