import HTTP
import Telemetry

/// Takes over a client's `X-Request-Id`, or makes one.
struct RequestID {
  /// The longest id that is taken over, in characters.
  static let maximumLength = 64
  // Crockford's Base32: no letter that is mistaken for a digit.
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  private var generator = IDGenerator()

  /// The client's id if there is exactly one and it matches `^[A-Za-z0-9._-]{1,64}$`; else a new one of 15 characters,
  /// 75 random bits, which a Swift string holds without memory of its own.
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
    var first = generator.next()
    var second = generator.next()
    return String(unsafeUninitializedCapacity: 15) { bytes in
      for index in 0..<15 {
        if index < 12 {
          bytes[index] = Self.alphabet[Int(first & 31)]
          first >>= 5
        } else {
          bytes[index] = Self.alphabet[Int(second & 31)]
          second >>= 5
        }
      }
      return 15
    }
  }
}
