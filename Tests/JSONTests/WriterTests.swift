import Testing
import Values

@testable import JSON

@Suite("JSON writer")
struct WriterTests {
  private func text(_ write: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    write(&json)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  @Test("puts commas and colons where they belong")
  func structure() {
    let written = text { json in
      json.object { json in
        json.member("a", 1)
        json.key("b")
        json.array { json in
          json.value(true)
          json.null()
          json.object { _ in }
          json.array { _ in }
          json.object { $0.member("x", "y") }
        }
        json.key("c\"")
        json.object { _ in }
        json.member("d", ifPresent: nil as Int?)
        json.member("e", ifPresent: 2)
        json.member("f", nil as String?)
        json.member("g", [1.5, 2])
        json.key("h")
        json.raw(Array("[0]".utf8))
      }
    }
    #expect(
      written == #"{"a":1,"b":[true,null,{},[],{"x":"y"}],"c\"":{},"e":2,"f":null,"g":[1.5,2],"h":[0]}"#)
  }

  @Test("writes ids, timestamps and dates as strings")
  func values() {
    let written = text { json in
      json.array { json in
        json.value(Identifier(high: 0x0192_3456_789A_7BCD, low: 0x8EF0_1234_5678_9ABC))
        json.value(Timestamp(unixMilliseconds: 1_795_253_400_000))
        json.value(CivilDate(daysSinceEpoch: 0))
      }
    }
    #expect(written == #"["01923456-789a-7bcd-8ef0-123456789abc","2026-11-21T09:30:00.000Z","1970-01-01"]"#)
  }

  @Test("writes money as amount and currency")
  func money() throws {
    let euro = try #require(CurrencyCode("EUR"))
    #expect(
      text { $0.value(Money(amount: .min, currency: euro)) } == #"{"amount":-9223372036854775808,"currency":"EUR"}"#)
  }

  @Test("escapes what must be escaped, at every position in a word of eight bytes")
  func escapes() {
    #expect(
      text { $0.string("\"\\\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é/\u{2028}") }
        == "\"\\\"\\\\\\u0008\\u000c\\n\\r\\t\\u0000\\u001f\u{7F}é/\u{2028}\"")
    for before in 0...17 {
      for after in 0...9 {
        for special in ["\"", "\\", "\n", "\u{1F}", "\u{0}", "é", " ", "!", "#", "[", "]", "\u{7F}", "🌱"] {
          let string = String(repeating: "a", count: before) + special + String(repeating: "b", count: after)
          let written = JSONWriter.bytes(of: string)
          #expect((try? JSONReader.parse(written)) == .string(string))
        }
      }
    }
  }

  static let numbers: [(Double, String)] = [
    (0, "0"), (-0.0, "-0.0"), (1, "1"), (-1, "-1"), (21.5, "21.5"), (-40, "-40"), (0.1, "0.1"), (0.05, "0.05"),
    (100.25, "100.25"),
    (1e6, "1000000"), (999_999_999_999_999, "999999999999999"), (1e15, "1000000000000000"), (0.000_001, "0.000001"),
    (1e-7, "1e-07"),
    (1.000001, "1.000001"),
    (0.1 + 0.2, "0.30000000000000004"), (1.0 / 3, "0.3333333333333333"), (1e16, "1e+16"),
    (.leastNonzeroMagnitude, "5e-324"),
    (-2.5, "-2.5"),
    (1.7976931348623157e308, "1.7976931348623157e+308"), (9_007_199_254_740_991, "9007199254740991"),
    (.infinity, "null"), (.nan, "null"),
    (123456789.125, "123456789.125"), (0.3, "0.3"), (2.675, "2.675"), (-0.001, "-0.001"),
  ]

  @Test("writes numbers with the fewest digits", arguments: numbers)
  func writesNumbers(_ number: Double, _ expected: String) {
    let written = text { $0.number(number) }
    #expect(written == expected)
  }

  @Test("every number reads back as itself, from at most three characters more than the standard library writes")
  func roundTrip() throws {
    var generator = SystemRandomNumberGenerator()
    for round in 0..<20_000 {
      var number = Double(bitPattern: generator.next())
      if round % 2 == 0 {
        let scale = [1.0, 10, 100, 1_000, 1e4, 1e5, 1e6, 1e7][round / 2 % 8]
        number = Double(Int64.random(in: -10_000_000...10_000_000, using: &generator)) / scale
      }
      guard number.isFinite else { continue }
      let written = JSONWriter.bytes(of: number)
      // 0.000001 is written out, not as 1e-06.
      #expect(written.count <= number.description.utf8.count + 3)
      switch try JSONReader.parse(written) {
      case .integer(let integer): #expect(Double(integer) == number)
      case .number(let read): #expect(read.bitPattern == number.bitPattern)
      default: Issue.record("not a number: \(number)")
      }
    }
  }

  @Test("writes every integer's digits", arguments: [0, 7, -7, 10, 99, 100, 12_345_678_901, .max, .min] as [Int64])
  func integers(_ integer: Int64) {
    #expect(text { $0.integer(integer) } == String(integer))
  }

  @Test("appends to given bytes, and starts afresh once its bytes are taken")
  func taking() {
    var json = JSONWriter(continuing: Array("first\n".utf8))
    json.value(1)
    #expect(json.take() == Array("first\n1".utf8))
    json.value(2)
    #expect(json.take() == Array("2".utf8))
  }

  @Test("what was read and written is the same when it is read and written again", arguments: GrammarTests.accepted)
  func rewritten(_ text: String) throws {
    let written = JSONWriter.bytes(of: try JSONReader.parse(Array(text.utf8)))
    #expect(JSONWriter.bytes(of: try JSONReader.parse(written)) == written)
  }
}
