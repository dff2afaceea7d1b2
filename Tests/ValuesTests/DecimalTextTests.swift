import Testing

@testable import Values

@Suite("Numbers in decimal")
struct DecimalTextTests {
  private func text(_ number: Double) -> String {
    var bytes: [UInt8] = []
    bytes.appendDecimal(number)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("integers of every length are written with all their digits")
  func integers() {
    for power in powersOfTen {
      for number in [power - 1, power, power &+ 1, power / 3] {
        var bytes: [UInt8] = []
        bytes.append(upTo: DecimalText.integerBytes) { $0.appendDecimal(number) }
        #expect(String(decoding: bytes, as: UTF8.self) == "\(number)")
      }
    }
    for integer in [.min, -1, 0, .max] as [Int64] {
      var bytes = Array("x".utf8)
      bytes.appendDecimal(integer)
      #expect(String(decoding: bytes, as: UTF8.self) == "x\(integer)")
    }
  }

  @Test("numbers below 10^8 are written with eight digits")
  func eight() {
    var (number, step): (UInt32, UInt32) = (0, 1)
    while number < 100_000_000 {
      let digits = withUnsafeBytes(of: eightDigits(number).littleEndian) { String(decoding: $0, as: UTF8.self) }
      guard UInt32(digits) == number, digits.utf8.count == 8 else {
        Issue.record("\(number) is written \(digits)")
        return
      }
      number += step
      // Every number of up to four digits, then steps that meet every pair of last digits of the two halves.
      if number > 20_000 { step = 4_999 }
    }
  }

  @Test("a width cuts leading digits, or pads with zeros", arguments: 1...19)
  func widths(_ width: Int) {
    for number in [0, 7, 12_345_678, 123_456_789, 1_234_567_890_123_456_789] as [Int64] {
      var bytes: [UInt8] = []
      bytes.appendDigits(number, width: width)
      let digits = String(repeating: "0", count: 19 - "\(number)".utf8.count) + "\(number)"
      #expect(String(decoding: bytes, as: UTF8.self) == String(digits.suffix(width)))
    }
  }

  static let fractions: [(Double, String)] = [
    (0.5, "0.5"), (0.25, "0.25"), (0x1p-6, "0.015625"), (0x1p-7, "0.0078125"), (0x1p-11, "0.00048828125"),
    (0x1.8p-11, "0.000732421875"), (0.000_001, "0.000001"), (0.000_000_1, "1e-07"), (0.1 + 0.2, "0.30000000000000004"),
    (1.0 / 3, "0.3333333333333333"), (2.0 / 3, "0.6666666666666666"), (41.028571428571425, "41.028571428571425"),
    (0.9999999999999999, "0.9999999999999999"), (1.0000000000000002, "1.0000000000000002"),
    (999_999_999.999999, "999999999.999999"), (1_000_000_000.000001, "1000000000.000001"),
    (4_503_599_627_370_495.5, "4503599627370495.5"), (0x1p53 - 1, "9007199254740991"), (0x1p53, "9007199254740992.0"),
    // Where two shortest texts are equally near, the even one is taken.
    (1_125_899_906_842_625.25, "1125899906842625.2"), (1_125_899_906_842_625.75, "1125899906842625.8"),
    (-12.5, "-12.5"), (-0.0, "-0.0"), (-2.0 / 7, "-0.2857142857142857"), (.leastNonzeroMagnitude, "5e-324"),
    (2.2250738585072014e-308, "2.2250738585072014e-308"), (-1.7976931348623157e308, "-1.7976931348623157e+308"),
    (.infinity, "null"), (.nan, "null"),
  ]

  @Test("bytes have two hexadecimal digits each")
  func hexadecimal() {
    #expect(([0x00, 0x0A, 0x9F, 0xFF] as [UInt8]).lowerHex == "000a9fff")
    #expect([UInt8]().lowerHex == "")
  }

  @Test("numbers have the fewest digits that read back", arguments: fractions)
  func shortest(_ number: Double, _ expected: String) { #expect(text(number) == expected) }

  @Test("fractions are written as the standard library writes them, whatever their size and digits")
  func standard() {
    var generator = SystemRandomNumberGenerator()
    for round in 0..<20_000 {
      let number: Double =
        switch round % 4 {
        // Any digits, within and around the range of whole numbers of 128 bits.
        case 0:
          Double(
            sign: round % 8 == 0 ? .plus : .minus, exponent: .random(in: -14...54, using: &generator),
            significand: .random(in: 1..<2, using: &generator))
        // Few binary digits, among which are ties.
        case 1:
          Double(generator.next() >> UInt64.random(in: 11...63))
            * Double(sign: .plus, exponent: -round % 53, significand: 1)
        // Few decimals, and quotients.
        case 2:
          Double(Int64.random(in: -10_000_000...10_000_000)) / [10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 3, 7][round / 4 % 9]
        default: Double(bitPattern: generator.next())
        }
      guard number.isFinite, number != number.rounded() else { continue }
      // The library writes small numbers with an exponent.
      let expected = number.description
      let written = text(number)
      if written != expected, !expected.contains("e-") || Double(written) != number || written.utf8.count > 10 {
        Issue.record("\(expected) is written \(written)")
      }
    }
  }
}
