import Testing

@testable import Web

@Suite("A request id that the server makes")
struct RequestIDTests {
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")

  @Test("has a digit for every five bits, the lowest first")
  func digits() {
    for digit in 0..<32 {
      // The same five bits in all places, and in every second one.
      let all = (0..<8).reduce(0 as UInt64) { bits, _ in bits << 5 | UInt64(digit) }
      let some = (0..<4).reduce(0 as UInt64) { bits, _ in bits << 10 | UInt64(digit) }
      let (character, zero) = (Self.alphabet[digit], Self.alphabet[0])
      #expect(RequestID(all, all).text == String(repeating: character, count: 15))
      #expect(
        RequestID(some, some).text == String((0..<15).map { place in place % 2 == 0 ? character : zero }))
    }
  }

  @Test("leaves out the bits that it has no place for")
  func spareBits() {
    #expect(RequestID(1 << 40, 1 << 35).text == "000000000000000")
    #expect(RequestID(.max, .max).text == "zzzzzzzzzzzzzzz")
  }
}
