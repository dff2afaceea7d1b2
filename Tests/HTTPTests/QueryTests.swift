import Testing

@testable import HTTP

@Suite("A query")
struct QueryTests {
  static let cases: [(String, [String]?)] = [
    ("", []),
    ("a=1&b=2&a=3", ["a=1", "b=2", "a=3"]),
    ("&&a&=x&b==c&", ["a=", "=x", "b==c"]),
    ("q=wild+garlic%2C+cr%C3%A8me&%71=%26", ["q=wild garlic, crème", "q=&"]),
    ("a=%", nil),
    ("a=%4", nil),
    ("a=%zz", nil),
    ("%0", nil),
    ("a=%00", nil),
    ("a=%FF", nil),
  ]

  @Test("keeps its parameters in order, decoded as a form", arguments: cases)
  func table(_ text: String, _ expected: [String]?) {
    let bytes = Array(text.utf8)
    let parameters = try? Query(bytes.span.bytes).parameters.map { $0.name + "=" + $0.value }
    #expect(parameters == expected)
  }

  @Test("refuses a parameter that is given twice, when it is asked for")
  func twice() throws {
    let bytes = Array("limit=1&other=2&limit=1".utf8)
    let query = try Query(bytes.span.bytes)
    #expect(try query.value("other") == "2")
    #expect(try query.value("absent") == nil)
    #expect(throws: RequestFault(.badRequest, "The query parameter limit is given twice")) { try query.value("limit") }
  }

  @Test("refuses more parameters than its limit")
  func many() {
    let bytes = Array((0...Query.parameterLimit).map { "a\($0)=1" }.joined(separator: "&").utf8)
    #expect((try? Query(bytes.span.bytes)) == nil)
  }
}
