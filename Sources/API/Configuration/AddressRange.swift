import Glibc

/// A range of IP addresses, as `10.0.0.0/8` or `fd00::/8` (RFC 4632, RFC 4291); IPv4 stands mapped into IPv6.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
  /// As it was written.
  package let description: String
  private let high: UInt64
  private let low: UInt64
  private let highMask: UInt64
  private let lowMask: UInt64

  /// Reads a range, or a single address; nil when it is malformed or has bits beyond its prefix.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, !text.utf8.contains(0), let address = Self.address(String(parts[0])) else { return nil }
    let longest = address.isV4 ? 32 : 128
    guard let length = parts.count == 2 ? Decimal.parse(parts[1]) : longest, length <= longest else { return nil }
    let bits = address.isV4 ? length + 96 : length
    highMask = Self.mask(bits)
    lowMask = Self.mask(bits - 64)
    (high, low) = (address.high, address.low)
    guard high & ~highMask == 0, low & ~lowMask == 0 else { return nil }
    description = text
  }

  /// Whether an address is in the range: 16 bytes of IPv6, the first of them most significant.
  package func contains(high: UInt64, low: UInt64) -> Bool {
    high & highMask == self.high && low & lowMask == self.low
  }

  private static func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : ~(.max >> UInt64(bits)) }

  private static func address(_ text: String) -> (high: UInt64, low: UInt64, isV4: Bool)? {
    var v4 = in_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      return (0, 0x0000_FFFF_0000_0000 | UInt64(UInt32(bigEndian: v4.s_addr)), true)
    }
    var v6 = in6_addr()
    guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    return withUnsafeBytes(of: v6) {
      (
        UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)), false
      )
    }
  }
}

extension Form where Value == AddressRange {
  /// A range of addresses or a single one.
  static var addressRange: Form {
    Form(
      "an address or a range such as 10.0.0.0/8", parse: { AddressRange($0) }, show: { $0.description })
  }
}
