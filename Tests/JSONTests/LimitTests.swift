import Testing

@testable import JSON

@Suite("JSON limits")
struct LimitTests {
  @Test("allow nesting as deep as the limit and no deeper", arguments: [("[", "]"), ("{\"a\":", "}")])
  func depth(_ opening: String, _ closing: String) throws {
    func text(_ depth: Int) -> [UInt8] {
      let inner = opening == "[" ? "[]" : "{}"
      return Array(
        (String(repeating: opening, count: depth - 1) + inner + String(repeating: closing, count: depth - 1)).utf8)
    }
    _ = try JSONReader.parse(text(32))
    #expect(throws: JSONError(kind: .tooDeep, offset: 32 * opening.utf8.count)) { try JSONReader.parse(text(33)) }
    // An attack with nothing but opening brackets ends at the limit, too.
    let brackets = Array(String(repeating: opening, count: 100_000).utf8)
    #expect(throws: JSONError(kind: .tooDeep, offset: 32 * opening.utf8.count)) { try JSONReader.parse(brackets) }
  }

  @Test("depth counts open brackets, not closed ones")
  func siblings() throws {
    let siblings = Array(repeating: "[{}]", count: 100).joined(separator: ",")
    _ = try JSONReader.parse(Array("[\(siblings)]".utf8))
  }

  @Test("bound bytes, values and the length of numbers")
  func sizes() throws {
    var limits = JSONLimits()
    limits.bytes = 4
    #expect(throws: JSONError(kind: .tooLarge, offset: 4)) { try JSONReader.parse(Array("12345".utf8), limits: limits) }
    limits = JSONLimits()
    limits.values = 3
    _ = try JSONReader.parse(Array("[1,2]".utf8), limits: limits)
    #expect(throws: JSONError(kind: .tooLarge, offset: 5)) {
      try JSONReader.parse(Array("[1,2,3]".utf8), limits: limits)
    }
    let long = "0." + String(repeating: "1", count: 1_022)
    _ = try JSONReader.parse(Array(long.utf8))
    #expect(throws: JSONError(kind: .numberTooLarge, offset: 0)) { try JSONReader.parse(Array((long + "1").utf8)) }
  }

  @Test("an object of 50 000 members is read, and a duplicate at its end is found")
  func manyMembers() throws {
    let members = (0..<50_000).map { "\"name\($0)\":\($0)" }.joined(separator: ",")
    guard case .object(let object) = try JSONReader.parse(Array("{\(members)}".utf8)) else {
      Issue.record("not an object")
      return
    }
    #expect(object.members.count == 50_000)
    #expect(object["name49999"] == .integer(49_999))
    #expect(object["name50000"] == nil)
    #expect(throws: JSONError.self) { try JSONReader.parse(Array("{\(members),\"name7\":1}".utf8)) }
  }

  @Test("names are found on both sides of the index's threshold", arguments: [1, 15, 16, 17, 18, 40])
  func thresholds(_ count: Int) throws {
    let members = (0..<count).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
    guard case .object(let object) = try JSONReader.parse(Array("{\(members)}".utf8)) else { return }
    for number in 0..<count { #expect(object["n\(number)"] == .integer(Int64(number))) }
    for number in 0..<count {
      #expect(throws: JSONError.self) { try JSONReader.parse(Array("{\(members),\"n\(number)\":0}".utf8)) }
    }
  }
}
