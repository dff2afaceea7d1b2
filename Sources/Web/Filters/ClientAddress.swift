import HTTP

/// Finds the address of the client itself.
///
/// It is the socket's, unless that is a trusted proxy's: then it is the last address in `X-Forwarded-For` that is not
/// a trusted proxy's. What stands further left was written by the client and may be made up.
struct ClientAddress: Sendable {
  /// The most addresses of `X-Forwarded-For` that are looked at, from the right.
  static let maximumHops = 16

  let trustedProxies: [AddressBlock]

  func callAsFunction(_ request: Request) -> PeerAddress {
    guard !trustedProxies.isEmpty, isTrusted(request.peer) else { return request.peer }
    let fields = request.headers("X-Forwarded-For")
    guard !fields.isEmpty else { return request.peer }
    var client = request.peer
    for hop in fields.joined(separator: ",").split(separator: ",").reversed().prefix(Self.maximumHops) {
      // An entry that cannot be read ends the walk: the hop before it is the last that is known.
      guard let address = PeerAddress(hop.trimmingSpaces) else { break }
      client = address
      if !isTrusted(address) { break }
    }
    return client
  }

  private func isTrusted(_ address: PeerAddress) -> Bool { trustedProxies.contains { $0.contains(address) } }
}
