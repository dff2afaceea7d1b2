import Values

/// A block of addresses, such as `10.0.0.0/8` or `fd00::/8` (RFC 4632, RFC 4291).
package struct AddressBlock: Hashable, Sendable {
  private let base: PeerAddress
  /// The leading bits that an address must share with the base, of 128.
  private let prefixBits: Int

  /// Parses an address with a prefix length, or an address alone, which is a block of one; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let base = PeerAddress(parts[0]) else { return nil }
    let width = base.isV4 && !parts[0].contains(":") ? 32 : 128
    var bits = width
    if parts.count == 2 {
      guard let number = Int(digits: parts[1]), number <= width else { return nil }
      bits = number
    }
    prefixBits = bits + 128 - width
    let (high, low) = Self.masks(prefixBits)
    self.base = PeerAddress(high: base.high & high, low: base.low & low)
  }

  /// Whether an address lies in the block; its port does not matter.
  package func contains(_ address: PeerAddress) -> Bool {
    let (high, low) = Self.masks(prefixBits)
    return address.high & high == base.high && address.low & low == base.low
  }

  private static func masks(_ bits: Int) -> (UInt64, UInt64) {
    // A shift of 64 or more leaves nothing: Swift's smart shift.
    (~0 << (64 - min(bits, 64)), ~0 << (128 - max(bits, 64)))
  }
}

extension AddressBlock: CustomStringConvertible {
  /// The base and the prefix length, such as `10.0.0.0/8`.
  package var description: String { "\(base.text)/\(base.isV4 && prefixBits >= 96 ? prefixBits - 96 : prefixBits)" }
}
