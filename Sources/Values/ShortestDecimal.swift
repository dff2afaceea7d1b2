/// The shortest decimal fraction that reads back as a double, and the nearest of that length: `digits` / 10^`decimals`.
struct ShortestDecimal {
  let digits: UInt64
  let decimals: Int

  /// Finds the fraction of a positive number; nil outside the range in which 128-bit integers find it exactly: all
  /// numbers between 2^-11 and 2^52 but powers of two.
  ///
  /// As in Schubfach (Giulietti 2020). The number is m / 2^s, and all that is nearer to it than to its neighbours, half
  /// a step of m to either side, reads back as it. With as many decimals as make 10^-d no larger than the step, there
  /// is such a fraction; with one less there is at most one, and every shorter one would be the same.
  init?(_ number: Double) {
    let shift = Self.significandBits - Int(number.exponentBitPattern)
    // The step below a power of two is half of that above.
    guard (1...63).contains(shift), number.significandBitPattern != 0 else { return nil }
    let significand = number.significandBitPattern | 1 << 52
    // The logarithm of 2, close enough for 63 bits.
    let decimals = (shift * 1_233) >> 12 + 1
    let halfStep = UInt128(powersOfTen[decimals])
    // In halves of steps, so that the bounds are whole numbers.
    let scaled = UInt128(significand &<< 1) &* halfStep
    let one = UInt128(1) &<< (shift &+ 1)
    let floor = UInt64(truncatingIfNeeded: scaled &>> (shift &+ 1))
    let rest = scaled & (one &- 1)

    let last = floor % 10
    let below = UInt128(last) &* one &+ rest
    let above = one &* 10 &- below
    // The bounds themselves are rounded to the even neighbour.
    let reach = significand & 1 == 0 ? halfStep : halfStep &- 1
    if below <= reach || above <= reach {
      self.init(digits: floor - last + (below <= reach ? 0 : 10), trimmingZerosOf: decimals)
    } else {
      let isUp = rest &<< 1 > one || (rest &<< 1 == one && floor & 1 == 1)
      self.init(digits: floor + (isUp ? 1 : 0), decimals: decimals)
    }
  }

  private init(digits: UInt64, decimals: Int) {
    self.digits = digits
    self.decimals = decimals
  }

  /// Drops the zeros at the end. The number is no integer, so that other decimals remain.
  private init(digits: UInt64, trimmingZerosOf decimals: Int) {
    var (digits, decimals) = (digits, decimals)
    while case (let tenth, 0) = digits.quotientAndRemainder(dividingBy: 10) {
      digits = tenth
      decimals -= 1
    }
    self.init(digits: digits, decimals: decimals)
  }

  /// The exponent's bias, and the bits of the significand that stand below its point.
  private static let significandBits = 1_023 + 52
}

extension ByteCursor {
  /// Appends a number in decimal with the fewest digits that read back as it, or `null`, as JSON has it, if it is not
  /// finite. There must be room for `DecimalText.numberBytes`.
  package mutating func appendDecimal(_ number: Double) {
    guard number.isFinite else { return append("null") }
    let magnitude = number.magnitude
    guard magnitude < 0x1p53, magnitude != 0 || number.sign == .plus else { return appendDescription(of: number) }
    if number < 0 { append(UInt8(ascii: "-")) }
    let whole = UInt64(magnitude)
    // A fraction that reads back as the number is on the same side of every integer: those read back as themselves.
    if Double(whole) == magnitude {
      appendDecimal(whole)
    } else if !appendSixDecimals(magnitude, whole) {
      guard let fraction = ShortestDecimal(magnitude) else { return appendDescription(of: magnitude) }
      appendDecimal(whole)
      append(UInt8(ascii: "."))
      appendDecimal(fraction.digits - whole * powersOfTen[fraction.decimals], width: fraction.decimals)
    }
  }

  /// Appends a number of at most six decimals and fifteen digits, as most measurements are, or returns false.
  ///
  /// Decimals of up to fifteen digits are further apart than doubles are, so that the one which reads back as the
  /// number is the only one, and without the zeros at its end the shortest. The division rounds as the reader does.
  @inline(__always)
  private mutating func appendSixDecimals(_ magnitude: Double, _ whole: UInt64) -> Bool {
    guard magnitude < 1e9 else { return false }
    let millionths = UInt64(magnitude * 1e6 + 0.5)
    guard Double(millionths) / 1e6 == magnitude else { return false }
    appendDecimal(whole)
    append(UInt8(ascii: "."))
    let digits = eightDigits(UInt32(truncatingIfNeeded: (millionths &- whole &* 1_000_000) &* 100))
    place(8).storeBytes(of: digits.littleEndian, as: UInt64.self)
    end += 8 - (digits & 0x0F0F_0F0F_0F0F_0F0F).leadingZeroBitCount / 8
    return true
  }

  /// Appends a number that is very large or small, a power of two, or a zero with a sign.
  private mutating func appendDescription(of number: Double) {
    var text = number.description
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }
}
