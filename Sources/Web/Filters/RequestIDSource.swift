import HTTP
import Telemetry
import Values

/// Takes over a client's `X-Request-Id`, or makes an id.
struct RequestIDSource {
  /// The longest id that is taken over, in characters.
  static let maximumLength = 64

  private var generator = IDGenerator()

  /// The client's id if there is exactly one and it matches `^[A-Za-z0-9._-]{1,64}$`; else a new one.
  mutating func id(of request: Request) -> RequestID {
    if request.headerCount("X-Request-Id") == 1, let id = request.withHeader("X-Request-Id", Self.valid) ?? nil {
      return .client(id)
    }
    return RequestID(generator.next(), generator.next())
  }

  private static func valid(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard (1...maximumLength).contains(bytes.count), bytes.allSatisfy(isAllowed) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    byte.isASCIILetter || byte.isASCIIDigit || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
      || byte == UInt8(ascii: "-")
  }
}
