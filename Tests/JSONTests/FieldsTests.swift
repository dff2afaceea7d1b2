import Foundation
import Testing
import Values

@testable import JSON

@Suite("Fields")
struct FieldsTests {
  private enum Kind: String, CaseIterable { case frost, watering }

  /// The faults of reading `text`, each as `pointer detail`.
  private func faults(_ text: String, _ read: (inout Fields) -> Void) throws -> [String] {
    var fields = Fields(try JSONReader.parse(Array(text.utf8)))
    read(&fields)
    do {
      try fields.finish()
      return []
    } catch {
      return error.faults.map { "\($0.pointer) \($0.detail)" }
    }
  }

  /// The value that `rule` reads from `text` as a member `m`, and the faults.
  private func reading<Value>(_ text: String, _ rule: Rule<Value>) throws -> (Value, [String]) {
    var value: Value?
    let faults = try faults("{\"m\":\(text)}") { value = $0.required("m", rule) }
    return (try #require(value), faults)
  }

  @Test("reads a valid object without a fault")
  func valid() throws {
    let text = """
      {"name":"Zucchini","note":"a\\n\\tb","count":3,"area":1,"public":true,"kind":"frost",
       "id":"01923456-789A-7BCD-8EF0-123456789ABC","at":"2026-11-21T10:30:00+01:00",
       "place":{"latitude":-12.5},"tags":["a","b"],"lines":[{"n":1},{"n":2}]}
      """
    var fields = Fields(try JSONReader.parse(Array(text.utf8)))
    #expect(fields.required("name", .string(1...120)) == "Zucchini")
    #expect(fields.optional("note", .text(0...10)) == "a\n\tb")
    #expect(fields.required("count", .integer(1...3)) == 3)
    #expect(fields.optional("area", .number(0...1e9)) == 1)
    #expect(fields.optional("public", .boolean) == true)
    #expect(fields.required("kind", .oneOf(Kind.self)) == .frost)
    #expect(fields.required("id", .identifier).description == "01923456-789a-7bcd-8ef0-123456789abc")
    #expect(fields.required("at", .timestamp).unixMilliseconds == 1_795_253_400_000)
    #expect(fields.required("place", .object { $0.required("latitude", .number(-90...90)) }) == -12.5)
    #expect(fields.optional("tags", .array(0...5, of: .string(1...1))) == ["a", "b"])
    #expect(fields.required("lines", .array(1...100, of: .object { $0.required("n", .integer()) })) == [1, 2])
    #expect(fields.optional("absent", .string(1...1)) == nil)
    try fields.finish()
  }

  @Test("gathers all faults of all depths with their pointers")
  func gathers() throws {
    let text = """
      {"name":"","price":{"amount":"1","extra":0},"lines":[{"quantity":1},{"quantity":0},[],{}],"a/b~c":1,"flag":null}
      """
    let found = try faults(text) { fields in
      _ = fields.required("name", .string(1...120))
      _ = fields.required(
        "price", .object { ($0.required("amount", .integer()), $0.required("currency", .string(3...3))) })
      _ = fields.required("lines", .array(1...100, of: .object { $0.required("quantity", .integer(1...9)) }))
      _ = fields.required("flag", .boolean)
      _ = fields.required("missing", .object { $0.required("inner", .boolean) })
    }
    #expect(
      found == [
        "/name must have 1 to 120 characters", "/price/amount must be an integer", "/price/currency is required",
        "/price/extra is not a known member", "/lines/1/quantity must be between 1 and 9", "/lines/2 must be an object",
        "/lines/3/quantity is required", "/flag is required", "/missing is required", "/a~1b~0c is not a known member",
      ])
  }

  static let strings: [(String, Bool, String?)] = [
    ("\"a\"", false, nil), ("\"🌱🌱🌱🌱\"", false, nil), ("\"🌱🌱🌱🌱🌱\"", false, "must have 1 to 4 characters"),
    ("\"e\u{301}e\u{301}\"", false, nil), ("\"👩‍🌾\"", false, nil), ("\"\"", false, "must have 1 to 4 characters"),
    ("\"a\\u0000\"", false, "must not contain control characters"),
    ("\"\\u001f\"", true, "must not contain control characters other than line feed and tab"),
    ("\"\\n\"", false, "must not contain control characters"), ("\"\\n\\t\"", true, nil),
    ("\"\\r\"", true, "must not contain control characters other than line feed and tab"),
    ("\"\\u007f\"", false, "must not contain control characters"),
    ("\"\u{80}\"", false, "must not contain control characters"),
    ("\"\u{9F}\"", true, "must not contain control characters other than line feed and tab"),
    ("\"\u{A0}à\u{10080}\"", false, nil),
    ("1", false, "must be a string"),
    ("true", false, "must be a string"), ("[]", false, "must be a string"), ("{}", false, "must be a string"),
  ]

  @Test("strings have a type, a length in scalars and no control characters", arguments: strings)
  func string(_ text: String, _ allowsLines: Bool, _ fault: String?) throws {
    let (_, faults) = try reading(text, allowsLines ? .text(1...4) : .string(1...4))
    #expect(faults == (fault.map { ["/m \($0)"] } ?? []))
  }

  /// Names, and whether they have a visible character.
  static let names: [(String, Bool)] = [
    ("a", true), (" a\u{200B}", true), ("\u{301}", true), ("\u{200D}🌱", true), ("\u{E000}", true), ("\u{2801}", true),
    (" ", false), ("   ", false), ("\u{A0}", false), ("\u{AD}", false), ("\u{200B}", false), ("\u{2060}", false),
    ("\u{FEFF}", false), ("\u{3000}", false), ("\u{3164}", false), ("\u{2800}", false), ("\u{202E}\u{FE0F}", false),
    ("\u{E0020}", false), (" \u{200B}\u{2028}", false),
  ]

  @Test("what must not be blank needs a visible character, and the schema says so", arguments: names)
  func nonblank(name: String, isSeen: Bool) throws {
    for (rule, blank) in [(Rule.string(1...120).nonblank, name), (Rule.text(1...120).nonblank, "\n\t" + name)] {
      var json = JSONWriter()
      json.string(blank)
      let (_, faults) = try reading(String(decoding: json.take(), as: UTF8.self), rule)
      #expect(faults == (isSeen ? [] : ["/m must not be blank"]))
      guard case .string(_, 1, 120, let pattern?) = rule.schema else {
        Issue.record("\(rule.schema)")
        return
      }
      #expect(Schema.isOfText(pattern))
      // A pattern that every language understands cannot name characters beyond U+FFFF.
      let isTold = name.unicodeScalars.allSatisfy { $0.value <= 0xFFFF }
      #expect(try Self.matches(blank, NSRegularExpression(pattern: pattern)) == (isSeen || !isTold))
    }
    #expect(try reading("\"\"", .string(1...120).nonblank).1 == ["/m must have 1 to 120 characters"])
    #expect(try reading("\"\\u0001\"", .string(1...9).nonblank).1 == ["/m must not contain control characters"])
  }

  private static func matches(_ text: String, _ pattern: NSRegularExpression) -> Bool {
    pattern.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) != nil
  }

  @Test("the schema and the rule have the same visible characters")
  func visible() throws {
    let visible = try NSRegularExpression(pattern: Schema.visiblePattern)
    for value in UInt32(0)...0xFFFF {
      guard let scalar = Unicode.Scalar(value), scalar.properties.generalCategory != .control else { continue }
      if Self.matches(String(scalar), visible) == scalar.isBlank { Issue.record("U+\(String(value, radix: 16))") }
    }
  }

  @Test("says how many characters a string must have")
  func lengths() throws {
    #expect(try reading("\"ab\"", .string(0...1)).1 == ["/m must have at most 1 characters"])
    #expect(try reading("\"ab\"", .string(3...3)).1 == ["/m must have exactly 3 characters"])
  }

  static let integers: [(String, Int64?)] = [
    ("1", 1), ("10", 10), ("0", nil), ("11", nil), ("-0", nil), ("1.0", nil), ("1e0", nil), ("\"1\"", nil),
    ("true", nil), ("99999999999999999999", nil),
  ]

  @Test("integers are exact and within bounds", arguments: integers)
  func integer(_ text: String, _ expected: Int64?) throws {
    let (value, faults) = try reading(text, .integer(1...10))
    #expect(faults.isEmpty == (expected != nil))
    if let expected { #expect(value == expected) }
  }

  @Test("a bound that excludes no integer is not mentioned")
  func halfBounds() throws {
    #expect(try reading("-1", .integer(0...Int64.max)).1 == ["/m must be at least 0"])
    #expect(try reading("1", .integer(Int64.min...0)).1 == ["/m must be at most 0"])
  }

  @Test("numbers are within bounds, written as integers or with an exponent")
  func numbers() throws {
    #expect(try reading("90", .number(-90...90)) == (90, []))
    #expect(try reading("-8.95e1", .number(-90...90)) == (-89.5, []))
    #expect(try reading("90.5", .number(-90...90)).1 == ["/m must be between -90 and 90"])
    #expect(try reading("\"1\"", .number(0...1.5)).1 == ["/m must be a number"])
  }

  @Test("booleans, enumerations, ids and timestamps accept only their own form")
  func forms() throws {
    #expect(try reading("0", .boolean).1 == ["/m must be true or false"])
    #expect(try reading("\"hail\"", .oneOf(Kind.self)).1 == ["/m must be one of: frost, watering"])
    #expect(try reading("1", .oneOf(Kind.self)).1 == ["/m must be one of: frost, watering"])
    for text in [
      "\"\"", "\"0192\"", "1", "\"01923456-789a-7bcd-8ef0-123456789abg\"", "\"01923456789a7bcd8ef0123456789abc\"",
    ] {
      #expect(try reading(text, .identifier).1 == ["/m must be a UUID"])
    }
    for text in ["\"2026-11-21\"", "1795253400", "\"2026-02-30T00:00:00Z\"", "\"2026-11-21T09:30:60Z\"", "\"\""] {
      #expect(try reading(text, .timestamp).1 == ["/m must be an RFC 3339 date-time such as 2026-11-21T09:30:00.000Z"])
    }
  }

  @Test("arrays are counted before their elements are looked at")
  func arrays() throws {
    let rule = Rule<[Int64]>.array(1...3, of: .integer(0...9))
    #expect(try reading("[1,2,3]", rule) == ([1, 2, 3], []))
    #expect(try reading("[]", rule).1 == ["/m must have 1 to 3 elements"])
    #expect(try reading("[1,2,3,\"x\"]", rule).1 == ["/m must have 1 to 3 elements"])
    #expect(try reading("{}", rule).1 == ["/m must be an array"])
    #expect(
      try reading("[null,10,\"x\"]", rule).1
        == ["/m/0 must be an integer", "/m/1 must be between 0 and 9", "/m/2 must be an integer"])
  }

  @Test("rules can be refined and converted, and each fault is reported once")
  func refined() throws {
    let even = Rule.integer(0...100).checked("must be even") { $0 % 2 == 0 }
    #expect(try reading("4", even) == (4, []))
    #expect(try reading("5", even).1 == ["/m must be even"])
    #expect(try reading("101", even).1 == ["/m must be between 0 and 100"])
    let doubled = even.converted("must be small", placeholder: "") { $0 < 10 ? "\($0)" : nil }
    #expect(try reading("8", doubled) == ("8", []))
    #expect(try reading("10", doubled).1 == ["/m must be small"])
    #expect(try reading("\"8\"", doubled).1 == ["/m must be an integer"])
  }

  @Test("in a merge patch, absent leaves, null clears, a value sets")
  func patch() throws {
    var fields = Fields(try JSONReader.parse(Array(#"{"a":null,"b":"x","c":5,"d":"y","e":null}"#.utf8)))
    #expect(fields.patch("a", .string(1...9)) == .clear)
    #expect(fields.patch("b", .string(1...9)) == .set("x"))
    #expect(fields.patch("none", .string(1...9)) == .absent)
    #expect(fields.patch("c", .string(1...9)) != .absent)
    #expect(fields.change("d", .string(1...9)) == "y")
    #expect(fields.change("other", .string(1...9)) == nil)
    _ = fields.change("e", .string(1...9))
    let error = #expect(throws: ValidationError.self) { try fields.finish() }
    #expect(error?.faults == [Fault("/c", "must be a string"), Fault("/e", "must not be null")])
    #expect(Patch.absent.applied(to: 1) == 1)
    #expect(Patch.clear.applied(to: 1) == nil)
    #expect(Patch.set(2).applied(to: nil) == 2)
  }

  @Test("null is absent where a member is optional")
  func optionalNull() throws {
    let found = try faults("{\"a\":null}") { #expect($0.optional("a", .boolean) == nil) }
    #expect(found == [])
  }

  @Test("a document that is not an object is one fault, at the root", arguments: ["[]", "1", "null", "\"x\"", "[{}]"])
  func root(_ text: String) throws {
    let found = try faults(text) { fields in
      _ = fields.required("name", .string(1...120))
      fields.fault("name", "is taken")
    }
    #expect(found == [" must be an object"])
  }

  @Test("handlers can add faults of their own")
  func ownFaults() throws {
    #expect(try faults("{}") { $0.fault("to", "must be after from") } == ["/to must be after from"])
    #expect(ValidationError("/lines/0/productId", "is unknown").faults.count == 1)
  }

  @Test("faults are bounded, wherever they come from")
  func bounded() throws {
    let members = (0..<500).map { "\"m\($0)\":1" }.joined(separator: ",")
    #expect(try faults("{\(members)}") { _ in }.count == FaultList.capacity)
    let elements = Array(repeating: "{\"x\":1}", count: 500).joined(separator: ",")
    let found = try faults("{\"m\":[\(elements)]}") { fields in
      _ = fields.required("m", .array(0...1_000, of: .object { $0.required("n", .integer()) }))
    }
    #expect(found.count == FaultList.capacity)
    #expect(found.last == "/m/49/x is not a known member")
  }

  @Test("names that differ in bytes are unknown, even if Swift compares them as equal")
  func canonicalEquivalents() throws {
    // U+212A, the Kelvin sign, is canonically a K.
    let found = try faults("{\"\u{212A}\":1}") { #expect($0.optional("K", .integer()) == nil) }
    #expect(found == ["/\u{212A} is not a known member"])
  }
}
