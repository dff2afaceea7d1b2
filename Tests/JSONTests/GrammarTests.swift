import Testing

@testable import JSON

@Suite("JSON grammar")
struct GrammarTests {
  static let accepted: [String] = [
    // Scalars and white space.
    "null", "true", "false", " null ", "\t\r\n0\n", "\"\"", "\"a\"", "[]", "{}", " [ ] ", " { } ", "[[]]", "[[],[]]",
    "[1]", "[1,2]", "[ 1 , 2 ]", "[null,1,\"1\",{}]", "{\"a\":1}", "{ \"a\" : 1 , \"b\" : [ ] }", "{\"\":0}",
    "{\"a\":{\"a\":{\"a\":1}}}", "[[[[[[[[[[\"deep\"]]]]]]]]]]", "{\"a\\u0062\":1,\"b\":2}",
    "{\"min\":-1e2,\"max\":1E2}",
    // Numbers.
    "0", "-0", "-0.0", "1", "-1", "10", "0.0", "0.1", "-0.1", "1e1", "1E1", "1e+1", "1E+1", "1e-1", "1.5e10", "0e0",
    "0e1", "0E+1", "123456789012345678", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "123123123123123123123123123123", "1e308", "1.7976931348623157e308", "-1.7976931348623157e308", "5e-324", "1e-400",
    "0e999999999999999999999", "0.00000000000000000000000000000000000000000000000000000000000000000000000000001",
    // Strings.
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0041\"", "\"\\u00e9\\u00E9\"", "\"\\uD834\\uDD1E\"", "\"\\ud834\\udd1e\"",
    "\"\\u0000\"", "\"\\u001f\\u007f\"", "\"\\uFFFF\\uFDD0\"", "\"\u{7F}\"", "\"\u{80}\u{9F}\"", "\"\u{2028}\u{2029}\"",
    "\"é\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}\u{D7FF}\u{E000}\"", "\"12345678\"", "\"1234567é\"", "\"\\\\u0000\"",
    "\"a\u{FEFF}b\"", "\"/* no comment */\"", "[\"a\",\"a\"]", "{\"é\":1,\"e\u{301}\":2}", "{\"a\":1,\"A\":2}",
  ]

  @Test("accepts what RFC 8259 allows", arguments: accepted)
  func accepts(_ text: String) throws {
    _ = try JSONReader.parse(Array(text.utf8))
  }

  static let rejected: [(String, JSONError.Kind, Int)] = [
    // Nothing, too little, too much.
    ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2),
    ("[1,", .unexpectedEnd, 3), ("{", .unexpectedEnd, 1), ("{\"a\"", .unexpectedEnd, 4), ("{\"a\":", .unexpectedEnd, 5),
    ("{\"a\":1", .unexpectedEnd, 6), ("{\"a\":1,", .unexpectedEnd, 7), ("\"", .unexpectedEnd, 1),
    ("\"abc", .unexpectedEnd, 4), ("tru", .unexpectedEnd, 3), ("-", .unexpectedEnd, 1), ("1.", .unexpectedEnd, 2),
    ("1e", .unexpectedEnd, 2), ("1e-", .unexpectedEnd, 3), ("\"\\", .unexpectedEnd, 2), ("\"\\u00", .unexpectedEnd, 5),
    ("1 2", .trailingBytes, 2), ("[]]", .trailingBytes, 2), ("{}}", .trailingBytes, 2), ("{},", .trailingBytes, 2),
    ("null\u{0}", .trailingBytes, 4), ("[][]", .trailingBytes, 2), ("\"a\"x", .trailingBytes, 3),
    ("1\u{A0}", .trailingBytes, 1), ("[]//", .trailingBytes, 2), ("2@", .trailingBytes, 1), ("0x1", .trailingBytes, 1),
    // Brackets, commas, colons.
    ("]", .unexpectedByte, 0), ("}", .unexpectedByte, 0), ("[}", .unexpectedByte, 1), ("{]", .unexpectedByte, 1),
    ("[1,]", .unexpectedByte, 3), ("[,1]", .unexpectedByte, 1), ("[1,,2]", .unexpectedByte, 3),
    ("[1 2]", .unexpectedByte, 3),
    ("[1:2]", .unexpectedByte, 2), ("{\"a\":1,}", .unexpectedByte, 7), ("{,\"a\":1}", .unexpectedByte, 1),
    ("{\"a\":1,,\"b\":2}", .unexpectedByte, 7), ("{\"a\" 1}", .unexpectedByte, 5), ("{\"a\",1}", .unexpectedByte, 4),
    ("{a:1}", .unexpectedByte, 1), ("{1:1}", .unexpectedByte, 1), ("{'a':1}", .unexpectedByte, 1),
    ("{null:1}", .unexpectedByte, 1), ("{\"a\":}", .unexpectedByte, 5), ("{\"a\"::1}", .unexpectedByte, 5),
    ("{\"a\":1 \"b\":2}", .unexpectedByte, 7), ("{\"a\":1]", .unexpectedByte, 6), ("[1}", .unexpectedByte, 2),
    (",", .unexpectedByte, 0),
    ("[\"a\" \"b\"]", .unexpectedByte, 5), ("[\"a\":1]", .unexpectedByte, 4), ("{\"a\":1:2}", .unexpectedByte, 6),
    // Words.
    ("True", .unexpectedByte, 0), ("nul1", .unexpectedByte, 3), ("NaN", .unexpectedByte, 0),
    ("Infinity", .unexpectedByte, 0),
    ("nan", .unexpectedByte, 1), ("[truE]", .unexpectedByte, 4), ("undefined", .unexpectedByte, 0),
    ("'a'", .unexpectedByte, 0),
    ("truefalse", .trailingBytes, 4), ("<null>", .unexpectedByte, 0), ("\u{C}null", .unexpectedByte, 0),
    ("\u{0}", .unexpectedByte, 0),
    ("/**/1", .unexpectedByte, 0), ("#1", .unexpectedByte, 0), ("\u{2060}1", .unexpectedByte, 0),
    ("\\u0031", .unexpectedByte, 0),
    // Numbers.
    ("01", .invalidNumber, 0), ("-01", .invalidNumber, 0), ("00", .invalidNumber, 0), ("[-]", .invalidNumber, 2),
    ("+1", .unexpectedByte, 0),
    (".5", .unexpectedByte, 0), ("[1.]", .invalidNumber, 3), ("[1.e1]", .invalidNumber, 3), ("[1e]", .invalidNumber, 3),
    ("[1e+]", .invalidNumber, 4), ("[1e1.5]", .unexpectedByte, 4), ("[1.2.3]", .unexpectedByte, 4),
    ("[1e1e1]", .unexpectedByte, 4),
    ("[--1]", .invalidNumber, 2), ("[-Infinity]", .invalidNumber, 2), ("[-.5]", .invalidNumber, 2),
    ("[1a]", .unexpectedByte, 2), ("[1_000]", .unexpectedByte, 2),
    ("[1e--1]", .invalidNumber, 4), ("[0e]", .invalidNumber, 3), ("[１]", .unexpectedByte, 1),
    ("1,5", .trailingBytes, 1),
    ("1e309", .numberTooLarge, 0), ("-1e309", .numberTooLarge, 0), ("[1, 1e999999999999999999999]", .numberTooLarge, 4),
    ("1.7976931348623159e308", .numberTooLarge, 0),
    // Strings.
    ("\"\n\"", .controlCharacter, 1), ("\"a\u{0}\"", .controlCharacter, 2), ("\"\t\"", .controlCharacter, 1),
    ("\"12345678\u{1F}\"", .controlCharacter, 9), ("{\"a\n\":1}", .controlCharacter, 3),
    ("\"\\a\"", .invalidEscape, 1), ("\"\\x41\"", .invalidEscape, 1), ("\"\\'\"", .invalidEscape, 1),
    ("\"\\\u{0}\"", .invalidEscape, 1),
    ("\"\\U0041\"", .invalidEscape, 1), ("\"\\u004\"", .invalidEscape, 1), ("\"\\u00g0\"", .invalidEscape, 1),
    ("\"\\u+041\"", .invalidEscape, 1),
    ("\"\\ud83d\"", .loneSurrogate, 1), ("\"\\udd1e\"", .loneSurrogate, 1), ("\"a\\ud83dx\"", .loneSurrogate, 2),
    ("\"\\ud83d\\n\"", .loneSurrogate, 1),
    ("\"\\ud83d\\u0041\"", .loneSurrogate, 1), ("\"\\ud83d\\ud83d\"", .loneSurrogate, 1),
    ("\"\\udd1e\\ud834\"", .loneSurrogate, 1),
    ("\"\\ud83d\\u00\"", .invalidEscape, 7), ("{\"\\udead\":1}", .loneSurrogate, 2), ("\"\\\"", .unexpectedEnd, 3),
    // Names.
    ("{\"a\":1,\"a\":1}", .duplicateName, 7), ("{\"a\":1,\"\\u0061\":2}", .duplicateName, 7),
    ("[{\"b\":{\"a\":1,\"c\":2,\"a\":3}}]", .duplicateName, 19),
    ("\u{FEFF}{}", .byteOrderMark, 0), ("\u{FEFF}", .byteOrderMark, 0), (" \u{FEFF}1", .unexpectedByte, 1),
  ]

  @Test("rejects what RFC 8259 does not allow, at the offending byte", arguments: rejected)
  func rejects(_ text: String, _ kind: JSONError.Kind, _ offset: Int) {
    #expect(throws: JSONError(kind: kind, offset: offset)) { try JSONReader.parse(Array(text.utf8)) }
  }

  static let invalidUTF8: [[UInt8]] = [
    [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xC2, 0xC2], [0xE0, 0x80, 0x80],
    [0xE0, 0x9F, 0xBF], [0xE1, 0x80],
    [0xE1, 0x80, 0x20], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xEF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
    [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80],
    [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xE9],
    [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
  ]

  @Test("rejects bytes that are not UTF-8, at every position in a word of eight", arguments: invalidUTF8)
  func rejectsInvalidUTF8(_ sequence: [UInt8]) {
    for before in 0...9 {
      let text = Array("[\"".utf8) + Array(repeating: 0x61, count: before) + sequence + Array("\"]".utf8)
      #expect(throws: JSONError(kind: .invalidUTF8, offset: 2 + before)) { try JSONReader.parse(text) }
    }
    #expect(throws: JSONError.self) { try JSONReader.parse(sequence) }
  }

  @Test("every text that is cut short is reported as an unexpected end", arguments: accepted)
  func cutAtEveryByte(_ text: String) throws {
    // In brackets, since a number that is cut short may still be a number.
    let bytes = Array("[\(text)]".utf8)
    for end in 0..<bytes.count {
      let error = #expect(throws: JSONError.self) { try JSONReader.parse(Array(bytes[..<end])) }
      #expect(error == JSONError(kind: .unexpectedEnd, offset: end))
    }
  }

  @Test("text with one byte changed is rejected, or read as a value that can be written and read", arguments: accepted)
  func changedAtEveryByte(_ text: String) {
    for position in text.utf8.indices.map({ text.utf8.distance(from: text.utf8.startIndex, to: $0) }) {
      for byte: UInt8 in [0x00, 0x22, 0x5C, 0x7B, 0x5D, 0x2C, 0x30, 0x65, 0x80, 0xFF] {
        var bytes = Array(text.utf8)
        bytes[position] = byte
        if let value = try? JSONReader.parse(bytes) {
          #expect(throws: Never.self) { try JSONReader.parse(JSONWriter.bytes(of: value)) }
        }
      }
    }
  }

  @Test("messages state the offset and quote nothing of the text")
  func messages() {
    let error = #expect(throws: JSONError.self) { try JSONReader.parse(Array("{\"secret\":hidden}".utf8)) }
    #expect(error?.message == "An unexpected character stands in the JSON text (at byte 10).")
  }
}
