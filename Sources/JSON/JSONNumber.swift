import Values

/// A number as JSON has it: an exact integer where possible, else a finite double.
package enum JSONNumber: Equatable {
  /// Written without fraction and exponent, and within Int64; `-0` is 0.
  case integer(Int64)
  /// Anything else, rounded to the nearest double.
  case double(Double)

  /// The number as a double, rounded if it is an integer beyond 2^53.
  package var doubleValue: Double {
    switch self {
    case .integer(let integer): Double(integer)
    case .double(let double): double
    }
  }
}

/// A decimal number with its digits gathered: `digits` × 10^`exponent`.
struct DecimalNumber {
  /// The most digits that always fit `digits`.
  static let exactDigits = 19
  /// Exponents are cut here: far beyond any double, far within Int.
  static let exponentBound = 100_000

  var isNegative = false
  var digits: UInt64 = 0
  var exponent = 0
  /// Significant digits seen; beyond `exactDigits`, `digits` no longer holds them all.
  var digitCount = 0

  /// Takes one more digit.
  @inline(__always)
  mutating func append(_ digit: UInt8) {
    if digitCount < Self.exactDigits { digits = digits &* 10 &+ UInt64(digit) }
    if digitCount > 0 || digit > 0 { digitCount += 1 }
  }

  /// The integer, if it is within Int64.
  var integer: Int64? {
    guard digitCount <= Self.exactDigits else { return nil }
    if isNegative { return digits <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- digits) : nil }
    return Int64(exactly: digits)
  }

  /// The nearest double, ties to even, where whole-number arithmetic finds it exactly: for up to 19 digits of which up
  /// to 19 are decimals, and for small numbers with small exponents. Nil if the text itself must be converted.
  var double: Double? {
    guard digitCount <= Self.exactDigits else { return nil }
    if digits == 0 { return isNegative ? -0.0 : 0.0 }
    let magnitude: Double
    if digits <= 1 << 53, (-22...22).contains(exponent) {
      // Both operands are exact, so that the one operation rounds correctly (Clinger 1990).
      let power = Self.powersOfTen[abs(exponent)]
      magnitude = exponent < 0 ? Double(digits) / power : Double(digits) * power
    } else if (-19...0).contains(exponent) {
      magnitude = quotient(by: Values.powersOfTen[-exponent])
    } else {
      return nil
    }
    return isNegative ? -magnitude : magnitude
  }

  /// The digits divided by `divisor`, rounded to the nearest double.
  ///
  /// The quotient of the two shifted to the left has at least 63 bits. Its lowest bit is set if anything remains,
  /// which is enough for the conversion to a double to round as the infinite quotient would.
  private func quotient(by divisor: UInt64) -> Double {
    let dividendShift = digits.leadingZeroBitCount
    let divisorShift = divisor.leadingZeroBitCount
    let dividend = digits << UInt64(dividendShift)
    let (quotient, remainder) = (divisor << UInt64(divisorShift)).dividingFullWidth((dividend >> 1, dividend << 63))
    let significand = Double(quotient | (remainder == 0 ? 0 : 1))
    return Double(sign: .plus, exponent: divisorShift - dividendShift - 63, significand: significand)
  }

  /// 10^0…10^22, each exact.
  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]
}
