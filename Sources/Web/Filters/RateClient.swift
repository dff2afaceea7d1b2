import HTTP
import Values

/// A client, as rate limits tell clients apart.
package enum RateClient: Hashable, Sendable {
  /// An IPv4 address or a /64 of IPv6: see `PeerAddress.network`.
  case network(PeerAddress)
  case user(Identifier)
  case device(Identifier)

  var text: String {
    switch self {
    case .network(let address): address.text
    case .user(let id), .device(let id): id.description
    }
  }
}
