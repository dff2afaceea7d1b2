import Testing
import Values

@testable import JSON

@Suite("JSON scanner")
struct ScannerTests {
  /// A reading as a caller on a hot path reads it from the scanner: known members directly, anything else by `value()`.
  private struct Reading: Equatable {
    var sensorType = ""
    var value = 0.0
    var measuredAt: Int64 = 0
  }

  private func readings(_ text: String) throws -> [Reading?] {
    try Array(text.utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      var readings: [Reading?] = []
      #expect(try scanner.enterObject())
      while let name = try scanner.nextMember() {
        guard case "readings" = name, try scanner.enterArray() else {
          _ = try scanner.value()
          continue
        }
        while try scanner.nextElement() {
          let start = scanner
          readings.append(try reading(&scanner))
          if readings.last == .some(nil) {
            scanner = start
            _ = try scanner.value()
          }
        }
      }
      try scanner.finish()
      return readings
    }
  }

  private func reading(_ scanner: inout JSONScanner) throws -> Reading? {
    var reading = Reading()
    guard try scanner.enterObject() else { return nil }
    while let name = try scanner.nextMember() {
      switch name {
      case "sensorType":
        guard let text = try scanner.text() else { return nil }
        reading.sensorType = text.string
      case "value":
        guard let number = try scanner.number() else { return nil }
        reading.value = number.doubleValue
      case "measuredAt":
        guard let text = try scanner.text(), let timestamp = Timestamp(text.bytes) else { return nil }
        reading.measuredAt = timestamp.unixMilliseconds
      default: return nil
      }
    }
    return reading
  }

  static let document = """
    {"readings":[{"sensorType":"soil_moisture","value":21.5,"measuredAt":"2026-11-21T09:30:00.000Z"},
     {"v\\u0061lue":-4,"sensorType":"\\u0061b","measuredAt":"1970-01-01T00:00:01Z"}, 7, {"value":"x"}, {"other":[{}]},
     {}],"rest":[1,{"a":null}]}
    """

  @Test("reads known members without building a tree, and goes back to read other elements as values")
  func reads() throws {
    #expect(
      try readings(Self.document) == [
        Reading(sensorType: "soil_moisture", value: 21.5, measuredAt: 1_795_253_400_000),
        Reading(sensorType: "ab", value: -4, measuredAt: 1_000), nil, nil, nil, Reading(),
      ])
  }

  @Test("throws wherever the text is cut")
  func cut() {
    for end in 1..<Self.document.utf8.count {
      #expect(throws: JSONError(kind: .unexpectedEnd, offset: end)) { try readings(String(Self.document.prefix(end))) }
    }
    #expect(throws: JSONError(kind: .trailingBytes, offset: 2)) { try readings("{}x") }
  }

  @Test("asking for another kind of value consumes nothing")
  func otherKinds() throws {
    for (text, value) in ValueTests.texts {
      try Array(" \(text)".utf8).withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        if case .object = value {} else { #expect(try !scanner.enterObject()) }
        if case .array = value {} else { #expect(try !scanner.enterArray()) }
        if case .string = value {} else { #expect(try scanner.text() == nil) }
        if case .bool = value {} else { #expect(try scanner.bool() == nil) }
        if case .null = value {} else { #expect(try !scanner.null()) }
        switch value {
        case .integer, .number: break
        default: #expect(try scanner.number() == nil)
        }
        #expect(scanner.offset <= 1)
        #expect(try scanner.value() == value)
        try scanner.finish()
      }
    }
  }

  @Test("texts match names by what they decode to")
  func names() throws {
    try Array(#"["","value","v\u0061lue","values","valu\n"]"#.utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      var matches: [Bool] = []
      #expect(try scanner.enterArray())
      while try scanner.nextElement() {
        guard let text = try scanner.text() else { return }
        matches.append("value" ~= text)
        if text.bytes.isEmpty { #expect("" ~= text) }
      }
      #expect(matches == [false, true, true, false, false])
    }
  }
}
