import Glibc

/// The address of a client: 16 bytes of IPv6, in which an IPv4 address stands mapped (`::ffff:a.b.c.d`, RFC 4291).
package struct PeerAddress: Hashable, Sendable {
  /// Bytes 0–7, the first of them most significant.
  package var high: UInt64 = 0
  /// Bytes 8–15, the first of them most significant.
  package var low: UInt64 = 0
  /// The port; 0 for an address that came without.
  package var port: UInt16 = 0

  package init(high: UInt64, low: UInt64, port: UInt16 = 0) {
    self.high = high
    self.low = low
    self.port = port
  }

  /// An IPv4 address, its first number most significant.
  init(v4: UInt32, port: UInt16 = 0) {
    self.init(high: 0, low: 0x0000_FFFF_0000_0000 | UInt64(v4), port: port)
  }

  /// The address in a socket address; `::` for a family other than IPv4 and IPv6.
  init(_ storage: sockaddr_storage) {
    let parsed = withUnsafeBytes(of: storage) { bytes -> PeerAddress in
      switch Int32(storage.ss_family) {
      case AF_INET:
        let address = bytes.loadUnaligned(as: sockaddr_in.self)
        return PeerAddress(v4: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
      case AF_INET6:
        // Port at 2, address at 8 (RFC 3493, section 3.3).
        return PeerAddress(
          high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
          low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
          port: UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
      default:
        return PeerAddress(high: 0, low: 0)
      }
    }
    self = parsed
  }

  /// The address in the bytes of a socket address; nil for a family other than IPv4 and IPv6, or too few bytes.
  package init?(socketAddress bytes: UnsafeRawBufferPointer) {
    var storage = sockaddr_storage()
    withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes.prefix($0.count)) }
    let lengths = [AF_INET: MemoryLayout<sockaddr_in>.size, AF_INET6: MemoryLayout<sockaddr_in6>.size]
    guard let length = lengths[Int32(storage.ss_family)], bytes.count >= length else { return nil }
    self.init(storage)
  }

  /// Parses an IPv4 or IPv6 address without port, brackets or zone; nil for anything else.
  package init?(_ text: some StringProtocol) {
    // inet_pton reads up to a zero byte: what comes after one must not pass.
    guard !text.utf8.contains(0) else { return nil }
    var v4 = in_addr()
    var v6 = in6_addr()
    let text = String(text)
    if inet_pton(AF_INET, text, &v4) == 1 {
      self.init(v4: UInt32(bigEndian: v4.s_addr))
    } else if inet_pton(AF_INET6, text, &v6) == 1 {
      let halves = withUnsafeBytes(of: v6) { ($0.load(as: UInt64.self), $0.load(fromByteOffset: 8, as: UInt64.self)) }
      self.init(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
    } else {
      return nil
    }
  }

  package var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// The address that counts as one client, without a port: an IPv4 address, or the /64 of an IPv6 address, since its
  /// holder can use every address in it (RFC 4291, section 2.5.4).
  package var network: PeerAddress { PeerAddress(high: high, low: isV4 ? low : 0) }

  /// The address as text, without the port; a mapped IPv4 address in its own form.
  package var text: String {
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    if isV4 {
      var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
      inet_ntop(AF_INET, &address, &buffer, socklen_t(buffer.count))
    } else {
      var address = (high.bigEndian, low.bigEndian)
      inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count))
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
