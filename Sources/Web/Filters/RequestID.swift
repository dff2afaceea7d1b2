import Values

/// The id of a request, in its answer, its log line and its problem.
enum RequestID {
  /// The client's `X-Request-Id`.
  case client(String)
  /// One of our own: 15 digits of Crockford's Base32, which has no letter that is mistaken for a digit. Eight and seven
  /// ASCII characters, the first in the lowest byte.
  case own(UInt64, UInt64)

  /// The length of an own id in characters: no more than a Swift string holds without memory of its own.
  static let ownLength = 15

  /// An id of our own of 75 random bits: 40 of the one number and 35 of the other.
  init(_ first: UInt64, _ second: UInt64) {
    self = .own(Self.digits(first), Self.digits(second) & (1 << 56 - 1))
  }

  var text: String {
    switch self {
    case .client(let text): text
    case .own(let first, let second):
      withUnsafeBytes(of: (first.littleEndian, second.littleEndian)) {
        String(decoding: $0.prefix(Self.ownLength), as: UTF8.self)
      }
    }
  }

  /// Eight digits for the lower 40 bits, all at once in the bytes of a word.
  @inline(__always)
  private static func digits(_ bits: UInt64) -> UInt64 {
    var lanes = (bits & 0xFFFFF) | (bits & 0xFF_FFF0_0000) << 12
    lanes = (lanes & 0x0000_03FF_0000_03FF) | (lanes & 0x000F_FC00_000F_FC00) << 6
    lanes = (lanes & 0x001F_001F_001F_001F) | (lanes & 0x03E0_03E0_03E0_03E0) << 3
    // From 10 they are letters, without i, l, o and u.
    let letters = atLeast(10, lanes) &* UInt64(UInt8(ascii: "a") - 10 - UInt8(ascii: "0"))
    let skipped = atLeast(18, lanes) &+ atLeast(20, lanes) &+ atLeast(22, lanes) &+ atLeast(27, lanes)
    return lanes &+ ByteLanes.ones &* UInt64(UInt8(ascii: "0")) &+ letters &+ skipped
  }

  /// 1 in each byte that is not below the number.
  @inline(__always)
  private static func atLeast(_ number: UInt64, _ lanes: UInt64) -> UInt64 {
    (lanes &+ ByteLanes.ones &* (0x80 - number)) >> 7 & ByteLanes.ones
  }
}
