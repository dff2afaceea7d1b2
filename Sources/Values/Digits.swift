/// The eight lower-case hexadecimal digits of a number as ASCII, the first of them least significant.
///
/// All at once: each four bits get a byte of their own, and those above 9 are moved on from the digits to the letters.
@inlinable
package func lowerHex(_ number: UInt32) -> UInt64 {
  var bytes = UInt64(number.byteSwapped)
  bytes = (bytes | bytes << 16) & 0x0000_FFFF_0000_FFFF
  bytes = (bytes | bytes << 8) & 0x00FF_00FF_00FF_00FF
  // Of each byte of the number, the upper half first.
  bytes = (bytes >> 4 | bytes << 8) & 0x0F0F_0F0F_0F0F_0F0F
  let isLetter = ((bytes &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
  return bytes &+ 0x3030_3030_3030_3030 &+ isLetter &* 39
}

extension Collection<UInt8> {
  /// The bytes in hexadecimal, two lower-case digits each.
  package var lowerHex: String {
    String(upTo: 2 * count) { text in
      for byte in self { text.appendHex(UInt32(byte), digits: 2) }
    }
  }
}

/// The value of a hexadecimal digit in either case, or nil.
package func hexDigit(_ byte: UInt8) -> UInt64? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
  default: nil
  }
}

/// The number that eight hexadecimal digits in either case make, the first of them least significant; nil for other
/// bytes.
///
/// All at a time, the way back from `lowerHex`: with its high bit clear, a byte that is at least a bound sets that bit
/// when what the bound lacks of 0x80 is added, and no sum reaches the next byte.
package func hexNumber(_ digits: UInt64) -> UInt64? {
  let (ones, high) = (ByteLanes.ones, ByteLanes.highBits)
  let lower = digits | ones &* 0x20
  let isDigit = (digits &+ ones &* (0x80 - 0x30)) & ~(digits &+ ones &* (0x80 - 0x3A)) & high
  let isLetter = (lower &+ ones &* (0x80 - 0x61)) & ~(lower &+ ones &* (0x80 - 0x67)) & high
  guard digits & high == 0, isDigit | isLetter == high else { return nil }
  let halves = digits & (ones &* 0x0F) &+ (isLetter >> 7) &* 9
  var bytes = (halves << 4 | halves >> 8) & 0x00FF_00FF_00FF_00FF
  bytes = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF
  return UInt64(UInt32(truncatingIfNeeded: bytes | bytes >> 16).byteSwapped)
}

/// The eight decimal digits of a number below 10^8 as ASCII, the first of them least significant.
///
/// All at once: each half is split in two, three times over; the divisions are multiplications that are exact for
/// numbers this small.
@inline(__always)
func eightDigits(_ number: UInt32) -> UInt64 {
  let upper = UInt64(number / 10_000)
  let fours = upper | (UInt64(number) &- upper &* 10_000) << 32
  let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
  let twos = hundreds | (fours &- hundreds &* 100) << 16
  let tens = (twos &* 103) >> 10 & 0x000F_000F_000F_000F
  return (tens | (twos &- tens &* 10) << 8) | 0x3030_3030_3030_3030
}

/// The powers of ten that fit into 64 bits: 10^0 to 10^19.
package let powersOfTen: [UInt64] = [
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
  100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
  10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]
