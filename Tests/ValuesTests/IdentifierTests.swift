import Testing

@testable import Values

@Suite("An identifier")
struct IdentifierTests {
  @Test("is a version 7 UUID of the given moment")
  func version() {
    // The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22.000Z.
    let identifier = Identifier.make(unixMilliseconds: 0x017F_22E2_79B0)
    let text = identifier.description
    #expect(text.hasPrefix("017f22e2-79b0-7"))
    #expect("89ab".contains(text[text.index(text.startIndex, offsetBy: 19)]))
    #expect(Identifier(text) == identifier)
    #expect(Identifier(text.uppercased()) == identifier)
  }

  @Test("is never made twice")
  func unique() {
    #expect(Set((0..<10_000).map { _ in Identifier.make(unixMilliseconds: 1) }).count == 10_000)
  }

  @Test("sorts by time, as its text does")
  func order() {
    let identifiers = (1...200).map { Identifier.make(unixMilliseconds: $0 * 1_000) }
    #expect(identifiers.sorted() == identifiers)
    #expect(identifiers.map(\.description).sorted() == identifiers.map(\.description))
  }

  @Test("is greater than those its thread made before, within a millisecond and when the clock goes back, and unique")
  func monotonic() async {
    let sequence = IdentifierSequence()
    let made = await withTaskGroup(of: [Identifier].self) { group in
      for _ in 0..<4 {
        group.addTask {
          (0..<10_000).map { number in
            // All in one millisecond, then in the one before: more ids than a millisecond has room for.
            sequence.next(unixMilliseconds: number < 5_000 ? 0x017F_22E2_79B0 : 0x017F_22E2_79AF)
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    for identifiers in made { #expect(zip(identifiers, identifiers.dropFirst()).allSatisfy { $0 < $1 }) }
    #expect(Set(made.joined()).count == 40_000)
    let text = made[0][0].description
    #expect(text.hasPrefix("017f22e2-79b"))
    #expect(text.dropFirst(14).first == "7")
  }

  @Test("follows the clock again after the clock was ahead, and still rises after a small step back")
  func clockAhead() {
    let sequence = IdentifierSequence()
    let now: Int64 = 0x017F_22E2_79B0
    _ = sequence.next(unixMilliseconds: now + 2 * 86_400_000)
    let identifiers = [now, now - Int64(IdentifierSequence.longestLeadMilliseconds) + 1].map {
      sequence.next(unixMilliseconds: $0)
    }
    #expect(identifiers.map { Int64($0.high >> 16) } == [now, now])
    #expect(identifiers[0] < identifiers[1])
  }

  @Test(
    "is not read from any other text",
    arguments: [
      "", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
      "017f22e279b0-7cc3-98c4-dc0c0c07398f-", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
      "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}", "017f22e2_79b0_7cc3_98c4_dc0c0c07398f",
    ])
  func refuses(text: String) {
    #expect(Identifier(text) == nil)
  }

  @Test("is read with hexadecimal digits in either case, and no other byte, at each place")
  func digits() {
    for place in 0..<Identifier.textLength where ![8, 13, 18, 23].contains(place) {
      for byte in UInt8.min...UInt8.max {
        var text = Array("017f22e2-79b0-7cc3-98c4-dc0c0c07398f".utf8)
        text[place] = byte
        let read = text.withUnsafeBytes { Identifier($0) }
        let lower = String(decoding: text, as: UTF8.self).lowercased()
        #expect(read?.description == (hexDigit(byte) == nil ? nil : lower))
      }
    }
  }
}
