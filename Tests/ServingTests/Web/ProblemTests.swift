import JSON
import Testing

@testable import Web

@Suite("A problem")
struct ProblemTests {
  @Test("says once where a body is not JSON")
  func malformedJSON() throws {
    let error = try #require(throws: JSONError.self) { try JSONReader.parse(Array("{\"a\":x}".utf8)) }
    #expect(
      Problem(error).detail
        == "The body is not valid JSON. An unexpected character stands in the JSON text (at byte 5).")
  }
}
