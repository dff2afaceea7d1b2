import Testing
import Values

@testable import Telemetry

/// 2026-11-21T09:30:00.007Z
private let moment: Int64 = 1_795_253_400_007

private let trace = TraceContext(
  traceID: TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736)!, spanID: SpanID(0x00f0_67aa_0ba9_02b7)!,
  isSampled: true)

private let member = Identifier("019a9999-1234-7abc-8def-0123456789ab")!

@Test("writes the members in their order, on one line")
func memberOrder() throws {
  let context = LogContext(trace: trace, requestID: "r-1", userID: member)
  let lines = logged { logger in
    logger.log(.info, "Request completed", context: context, at: moment) {
      $0.field("method", constant: "GET")
      $0.field("statusCode", 200)
      $0.field("durationMs", millisecondsFrom: 12_045_678)
    }
  }
  #expect(
    lines == [
      #"{"timestamp":"2026-11-21T09:30:00.007Z","level":"info","message":"Request completed","service":"terroir","#
        + #""version":"1.2.3","environment":"test","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","#
        + #""spanId":"00f067aa0ba902b7","requestId":"r-1","userId":"019a9999-1234-7abc-8def-0123456789ab","#
        + #""method":"GET","statusCode":200,"durationMs":12.045}"#
    ])
}

@Test("writes ids in their usual form")
func ids() throws {
  var generator = IDGenerator()
  for _ in 0..<200 {
    let id = Identifier.make(unixMilliseconds: moment)
    let trace = TraceContext(traceID: generator.traceID(), spanID: generator.spanID(), isSampled: true)
    let lines = logged { $0.log(.info, "x", context: LogContext(trace: trace, userID: id)) }
    let values = try LineReader.members(lines[0]).suffix(3).map(\.value)
    #expect(values == [trace.traceID.description, trace.spanID.description, id.description])
  }
}

@Test("leaves out members without a value")
func absentMembers() throws {
  let lines = logged { logger in logger.log(.error, "x") { $0.field("detail", nil) } }
  #expect(
    try LineReader.members(lines[0]).map(\.name) == [
      "timestamp", "level", "message", "service", "version", "environment",
    ]
  )
}

@Test("dates each line to the millisecond, also across a second", arguments: [0, 1, 99, 992, 993, 1_000, 60_000, -8])
func dates(later: Int64) throws {
  let lines = logged { logger in
    logger.log(.info, "first", at: moment)
    logger.log(.info, "second", at: moment + later)
  }
  #expect(
    try LineReader.members(lines[1])[0].value == Timestamp(unixMilliseconds: moment + later).description)
}

@Test(
  "escapes hostile text so that it reads back as it was",
  arguments: [
    "", "plain", "\"", "\\", "\\\"", "\n\r\t", "\u{0}", "\u{1}\u{1F}\u{7F}", "\u{1B}[31mred", "\u{80}\u{9B}\u{9F}",
    "\u{A0}é€𝄞", "}{,:", "a\nb{\"level\":\"info\"}", "\u{2028}\u{2029}\u{FEFF}\u{FFFF}\u{10FFFF}", "e\u{301}",
  ])
func hostileText(text: String) throws {
  let lines = logged { logger in logger.log(.info, text) { $0.field("f", text) } }
  #expect(lines.count == 1)
  let members = try LineReader.members(lines[0])
  #expect(members[2].value.unicodeScalars.elementsEqual(text.unicodeScalars))
  #expect(members.last!.value.unicodeScalars.elementsEqual(text.unicodeScalars))
  let raw = Array(lines[0].utf8)
  #expect(!raw.contains { $0 < 0x20 || $0 == 0x7F })
}

@Test(
  "replaces what is not UTF-8",
  arguments: [
    ([0x80], "\u{FFFD}"), ([0xFF, 0x41], "\u{FFFD}A"), ([0xC3], "\u{FFFD}"), ([0xC3, 0x28], "\u{FFFD}("),
    ([0xC0, 0xAF], "\u{FFFD}\u{FFFD}"), ([0xE2, 0x82], "\u{FFFD}\u{FFFD}"), ([0xE2, 0x82, 0xAC], "€"),
    ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
    ([0xF0, 0x9D, 0x84, 0x9E], "𝄞"), ([0xF0, 0x9D, 0x84], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xC2, 0x9B], "\u{9B}"),
  ] as [([UInt8], String)])
func invalidUTF8(bytes: [UInt8], text: String) throws {
  let lines = logged { logger in
    logger.log(.info, "x") { line in bytes.withUnsafeBytes { line.field("f", utf8: $0) } }
  }
  #expect(try LineReader.members(lines[0]).last!.value == text)
}

@Test("writes well-formed JSON for every pair of bytes")
func everyPair() throws {
  for first in UInt8.min...UInt8.max {
    var bytes: [UInt8] = []
    for second in UInt8.min...UInt8.max { bytes += [first, second, UInt8(ascii: "|")] }
    let lines = logged { logger in
      logger.log(.info, "x") { line in bytes.withUnsafeBytes { line.field("f", utf8: $0) } }
    }
    #expect(throws: Never.self) { try LineReader.members(lines[0]) }
  }
}

@Test("writes numbers as JSON numbers, and those that JSON does not have as null")
func numbers() throws {
  let lines = logged { logger in
    logger.log(.info, "x") {
      $0.field("a", Int.min)
      $0.field("b", 0)
      $0.field("c", Int.max)
      $0.field("d", 0.1)
      $0.field("e", Double.nan)
      $0.field("f", -Double.infinity)
      $0.field("g", 1e300)
      $0.field("h", true)
      $0.field("i", UInt64.max)
    }
  }
  #expect(
    try LineReader.members(lines[0]).dropFirst(6).map(\.value) == [
      "-9223372036854775808", "0", "9223372036854775807", "0.1", "null", "null", "1e+300", "true",
      "18446744073709551615",
    ])
}

@Test("cuts a long value at a scalar, and marks a line without some of its fields as truncated")
func bounds() throws {
  let long = String(repeating: "é", count: 3_000)
  let lines = logged { logger in
    logger.log(.info, "x") { line in
      for _ in 0..<10 { line.field("f", long) }
    }
  }
  let members = try LineReader.members(lines[0])
  #expect(members[6].value == String(repeating: "é", count: 2_048) + "…")
  #expect(members.last!.name == "truncated")
  #expect(lines[0].utf8.count < LogLine.maximumBytes + LogLine.maximumValueBytes + 100)
}

@Test("leaves out lines below the level")
func levels() throws {
  let lines = logged(.json(.warning)) { logger in
    for level in LogLevel.allCases { logger.log(level, "x") }
    #expect(!logger.isEnabled(.notice))
  }
  #expect(try lines.map { try LineReader.members($0)[1].value } == ["warning", "error", "critical"])
}

@Test("reads the names of levels", arguments: LogLevel.allCases)
func levelNames(level: LogLevel) {
  #expect(LogLevel(name: "\(level.name)") == level)
  #expect(LogLevel(name: "\(level.name)".uppercased()) == nil)
  #expect(LogLevel(name: "warn") == .warning)
  #expect(LogLevel(name: "") == nil)
}

@Test("writes text for a person, coloured or not")
func text() {
  func write(_ logger: Logger) {
    logger.log(.warning, "Store\u{1B}[2J away", at: moment) { $0.field("name", "redis") }
  }
  #expect(
    logged(.text(coloured: false), write) == [
      #"2026-11-21T09:30:00.007Z warning  Store\u001b[2J away name="redis""#
    ])
  #expect(
    logged(.text(coloured: true), write) == [
      "09:30:00 \u{1B}[33mwarning\u{1B}[0m Store\\u001b[2J away\u{1B}[2m name=\"redis\"\u{1B}[0m"
    ])
}

@Test("dims fields on a terminal, and cuts lines there at a hundred columns, except warnings")
func terminal() {
  let path = String(repeating: "é", count: 200)
  let usual = logged(.text(coloured: true)) { $0.log(.info, "200 GET /", at: moment) { $0.field("path", path) } }[0]
  let shown = "09:30:00 200 GET /\u{1B}[2m path=\"" + String(repeating: "é", count: 99 - 25) + "…\u{1B}[0m"
  #expect(usual == shown)
  let warning = logged(.text(coloured: true)) { $0.log(.warning, "x", at: moment) { $0.field("path", path) } }[0]
  #expect(warning.contains(path))
}
