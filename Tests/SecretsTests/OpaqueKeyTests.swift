import Testing

@testable import Secrets

@Suite("An opaque key")
struct OpaqueKeyTests {
  @Test("is read back from its text, and only as its own kind", arguments: OpaqueKey.Kind.allCases)
  func reading(kind: OpaqueKey.Kind) throws {
    let key = OpaqueKey.make(kind)
    let read = try #require(OpaqueKey(key.text, kind))
    #expect(key.text.utf8.count == OpaqueKey.textLength)
    #expect(key.text.hasPrefix(kind.rawValue))
    #expect(read.digest == key.digest)
    #expect(read.matches(key.digest))
    for other in OpaqueKey.Kind.allCases where other != kind { #expect(OpaqueKey(key.text, other) == nil) }
  }

  @Test("is never made twice, and matches no other's digest")
  func distinct() {
    let keys = (0..<1_000).map { _ in OpaqueKey.make(.refreshToken) }
    #expect(Set(keys.map(\.text)).count == 1_000)
    #expect(!keys[0].matches(keys[1].digest))
    #expect(!keys[0].matches([]))
  }

  @Test("stores SHA-256 of the whole text")
  func digest() throws {
    let key = try #require(OpaqueKey("tdk_" + String(repeating: "A", count: 43), .deviceKey))
    let hexadecimal = key.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(hexadecimal == "30e0b599483e827a57be67f5589ee0176ee1b944408159e00e5df6867682f366")
  }

  @Test(
    "is refused in any other form",
    arguments: [
      "", "tdk_", "tdk_A", "tdk_" + String(repeating: "A", count: 42), "tdk_" + String(repeating: "A", count: 44),
      "tdk_" + String(repeating: "A", count: 42) + "=", "tdk_" + String(repeating: "A", count: 42) + "B",
      "TDK_" + String(repeating: "A", count: 43), "tdk-" + String(repeating: "A", count: 43),
    ])
  func refuses(text: String) {
    #expect(OpaqueKey(text, .deviceKey) == nil)
  }
}
