import Testing

@testable import JSON

@Suite("JSON values")
struct ValueTests {
  static let texts: [(String, JSONValue)] = [
    ("null", .null), ("true", .bool(true)), ("false", .bool(false)), ("[]", .array([])), ("{}", .object(JSONObject())),
    ("0", .integer(0)), ("-0", .integer(0)), ("-7", .integer(-7)),
    ("9007199254740993", .integer(9_007_199_254_740_993)),
    ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("9223372036854775808", .number(0x1p63)), ("-9223372036854775809", .number(-0x1p63)),
    ("18446744073709551616", .number(0x1p64)), ("1.0", .number(1)), ("1e0", .number(1)), ("21.5", .number(21.5)),
    ("-0.0", .number(-0.0)), ("1e-400", .number(0)), ("\"\"", .string("")), ("\"é\"", .string("é")),
    ("\"\\u00e9\\n\\/\"", .string("é\n/")), ("\"\\ud83c\\udf31x\"", .string("🌱x")), ("\"\\u0000\"", .string("\0")),
    ("\"\\\\u0041\"", .string("\\u0041")),
    ("\"\\uffff\\ud800\\udc00\\udbff\\udfff\"", .string("\u{FFFF}\u{10000}\u{10FFFF}")),
    ("[1,[\"a\"],null]", .array([.integer(1), .array([.string("a")]), .null])),
  ]

  @Test("reads values exactly", arguments: texts)
  func reads(_ text: String, _ value: JSONValue) throws {
    #expect(try JSONReader.parse(Array(text.utf8)) == value)
  }

  @Test("members keep their order and are found by name, compared as bytes")
  func members() throws {
    guard case .object(let object) = try JSONReader.parse(Array("{\"b\":1,\"a\":2,\"é\":3,\"\":4}".utf8)) else {
      Issue.record("not an object")
      return
    }
    #expect(object.members.map(\.name) == ["b", "a", "é", ""])
    #expect(object["a"] == .integer(2))
    #expect(object[""] == .integer(4))
    #expect(object["e\u{301}"] == nil)
    #expect(object["c"] == nil)
  }

  @Test("decimals are rounded to the nearest double, as the standard library rounds them")
  func decimals() throws {
    let hard = [
      "0.1", "0.30000000000000004", "123456.789", "9007199254740993.0", "9007199254740992.5", "1.7976931348623157e308",
      "2.2250738585072014e-308", "2.2250738585072011e-308", "4.9e-324", "2.4703282292062327e-324", "1e23", "8.5e22",
      "9.5e-22", "1e22", "1e-22", "123e-24", "9999999999999999999", "1844674407370955161.5", "0.9999999999999999999",
      "0.1000000000000000055511151231257827", "1.00000000000000011102230246251565404", "7450580596923828.125",
      "5e-20", "12345678901234567890.5", "1.0000000000000000001", "36.60000000000000142", "4503599627370496.5",
      "4503599627370497.5", "0.5000000000000000277", "9007199254740993e0", "-21.299999999999997", "1e-19", "3e-19",
    ]
    for text in hard {
      #expect(try JSONReader.parse(Array(text.utf8)) == .number(try #require(Double(text))), "\(text)")
    }
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let digits = String(UInt64.random(in: 0...UInt64.max, using: &generator)).prefix(.random(in: 1...19))
      let whole = digits.prefix(.random(in: 0...digits.count))
      let text = "\(Int(whole) ?? 0).\(digits.dropFirst(whole.count))0"
      #expect(try JSONReader.parse(Array(text.utf8)) == .number(try #require(Double(text))), "\(text)")
    }
  }
}
