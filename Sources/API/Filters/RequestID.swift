import HTTP
import Telemetry

/// Takes over a client's `X-Request-Id`, or makes one.
struct RequestID {
  /// The longest id that is taken over, in characters.
  static let maximumLength = 64
  // What a Swift string holds without memory of its own.
  private static let ownLength = 15
  // Constant text, because an array would be made at its first use, which each use would have to ask for.
  private static let digits: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"

  private var generator = IDGenerator()

  /// The client's id if there is exactly one and it matches `^[A-Za-z0-9._-]{1,64}$`; else a new one of 75
  /// random bits in Crockford's Base32, which has no letter that is mistaken for a digit.
  mutating func callAsFunction(_ request: Request) -> String {
    if let id = request.withHeader("X-Request-Id", Self.valid) ?? nil, request.headerCount("X-Request-Id") == 1 {
      return id
    }
    return make()
  }

  private static func valid(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard (1...maximumLength).contains(bytes.count), bytes.allSatisfy(isAllowed) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  private mutating func make() -> String {
    let (first, second) = (generator.next(), generator.next())
    var bits = first
    let digits = Self.digits.utf8Start
    return String(unsafeUninitializedCapacity: Self.ownLength) { bytes in
      for index in 0..<Self.ownLength {
        bytes[index] = digits[Int(bits & 31)]
        bits >>= 5
        if index == 11 { bits = second }
      }
      return Self.ownLength
    }
  }
}
