import Testing

@testable import Secrets

@Suite("Base64 without padding")
struct Base64Tests {
  @Test(
    "matches the vectors of RFC 4648, section 10, without their padding",
    arguments: [
      ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
      ("foobar", "Zm9vYmFy"),
    ])
  func vectors(plain: String, text: String) {
    #expect(Base64.url.encoded(Array(plain.utf8)) == text)
    #expect(Base64.standard.decode(text) == Array(plain.utf8))
    #expect(Base64.textLength(of: plain.utf8.count) == text.utf8.count)
  }

  @Test("reads back every byte at every position, in both alphabets")
  func roundTrip() {
    for length in 0...9 {
      for first in 0...255 {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: first + $0 * 37) }
        #expect(Base64.url.decode(Base64.url.encoded(bytes)) == bytes)
        #expect(Base64.standard.decode(Base64.standard.encoded(bytes)) == bytes)
      }
    }
    #expect(Base64.url.encoded([0xFB, 0xFF]) == "-_8")
    #expect(Base64.standard.encoded([0xFB, 0xFF]) == "+/8")
  }

  @Test(
    "refuses padding, foreign characters, impossible lengths and leftover bits",
    arguments: ["Z", "Zm9vY", "Zg==", "Zm8=", "Zh", "Zm9", "Zm 8", "Zm8\n", "Zm+8", "Zm/8", "Zmé8"])
  func refuses(text: String) {
    #expect(Base64.url.decode(text) == nil)
  }
}
