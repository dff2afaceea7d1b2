import Testing
import Values

@testable import Secrets

@Suite("A cursor")
struct CursorTests {
  private static let key = DerivedKey.key("cursor 1", from: "0123456789abcdef0123456789abcdef")

  private let seal = CursorSeal(keys: [key])
  private let identifier = Identifier(high: 0xFEDC_BA98_7654_3210, low: 1)

  private var payload: CursorPayload {
    var payload = CursorPayload()
    payload.append(Timestamp(unixMilliseconds: -1))
    payload.append(identifier)
    payload.append("soil_moisture")
    payload.append(Int64.min)
    return payload
  }

  @Test("returns the values that were sealed, in order")
  func roundTrip() throws {
    var opened = try seal.open(seal.seal(payload, list: "orders"), list: "orders")
    #expect(try opened.takeTimestamp() == Timestamp(unixMilliseconds: -1))
    #expect(try opened.takeIdentifier() == identifier)
    #expect(try opened.takeText() == "soil_moisture")
    #expect(try opened.takeInteger() == .min)
    #expect(throws: CursorError.self) { try opened.takeInteger() }
    #expect(throws: CursorError.self) { try opened.takeText() }
  }

  @Test("is refused when any one character is changed, its end is cut off, or it was never sealed")
  func tampered() {
    let text = Array(seal.seal(payload, list: "orders").utf8)
    for position in text.indices {
      for replacement in "A_9".utf8 where replacement != text[position] {
        var altered = text
        altered[position] = replacement
        #expect(throws: CursorError.self) { try seal.open(String(decoding: altered, as: UTF8.self), list: "orders") }
      }
      let cut = String(decoding: text[..<position], as: UTF8.self)
      #expect(throws: CursorError.self) { try seal.open(cut, list: "orders") }
    }
    for text in ["AAAA", "é", String(repeating: "A", count: 2_000)] {
      #expect(throws: CursorError.self) { try seal.open(text, list: "orders") }
    }
  }

  @Test("is refused by another list and by another secret, and accepted with the previous secret")
  func foreign() throws {
    let text = seal.seal(payload, list: "orders")
    let another = DerivedKey.key("cursor 1", from: "another secret of sufficient length")
    #expect(throws: CursorError.self) { try seal.open(text, list: "gardens") }
    #expect(throws: CursorError.self) { try CursorSeal(keys: [another]).open(text, list: "orders") }
    let rotated = CursorSeal(keys: [another, Self.key])
    #expect(try rotated.open(text, list: "orders") == payload)
  }

  @Test("is the same whichever release seals it")
  func unchanged() throws {
    var payload = CursorPayload()
    payload.append(Int64(7))
    #expect(seal.seal(payload, list: "orders") == "AAAAAAAAAAfVKPEG51CJv65lmT96FYhl")
  }
}
