@testable import HTTP

/// The result of parsing, with the slices as text so that a test can compare them.
struct Parsed: Equatable {
  var outcome: RequestParser.Outcome
  var method = Method.other
  var target = ""
  var path = ""
  var query: String?
  var fields: [String] = []
  var framing = BodyFraming.none
  var keepsAlive = true
  var expectsContinue = false
  var minorVersion = 1

  init(_ bytes: [UInt8], limits: HTTPLimits = HTTPLimits()) {
    var head = RequestHead()
    let table = FieldTable(base: .allocate(capacity: limits.headerFields), capacity: limits.headerFields)
    defer { table.base.deallocate() }
    outcome = RequestParser(limits: limits).parse(bytes.span.bytes, into: &head, fields: table)
    func text(_ slice: Slice) -> String { String(decoding: bytes[slice.range], as: UTF8.self) }
    method = head.method
    target = text(head.target)
    path = text(head.path)
    query = head.hasQuery ? text(head.query) : nil
    fields = (0..<head.fieldCount).map { text(table.base[$0].name) + "=" + text(table.base[$0].value) }
    framing = head.framing
    keepsAlive = head.keepsAlive
    expectsContinue = head.expectsContinue
    minorVersion = Int(head.minorVersion)
  }

  init(_ text: String, limits: HTTPLimits = HTTPLimits()) { self.init(Array(text.utf8), limits: limits) }

  var status: UInt16? { if case .malformed(let fault) = outcome { fault.status.rawValue } else { nil } }

  /// The result when the bytes come one by one and are parsed from the front each time.
  static func byteByByte(_ text: String, limits: HTTPLimits = HTTPLimits()) -> Parsed {
    let bytes = Array(text.utf8)
    for count in 1..<max(2, bytes.count) {
      let parsed = Parsed(Array(bytes[..<count]), limits: limits)
      if parsed.outcome != .needMore { return parsed }
    }
    return Parsed(bytes, limits: limits)
  }
}
