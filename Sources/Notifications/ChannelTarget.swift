import HTTP
import JSON
import Reactor
import Values
import Web

/// Checks the place that a user wants news to be sent to.
enum ChannelTarget {
  /// What is wrong with the form of a target; nil when nothing is.
  static func fault(_ target: String, _ kind: ChannelKind) -> String? {
    guard kind != .email else { return EmailAddress.isAddress(target) ? nil : "must be an email address" }
    guard let url = ServiceURL(target), ["https", "http"].contains(url.scheme) else {
      return "must be a URL such as https://host/path, without a fragment"
    }
    if url.user != nil || url.password != nil { return "must not hold a user or password" }
    if kind == .ntfy, url.path.split(separator: "/").isEmpty {
      return "must name a topic, such as https://ntfy.sh/topic"
    }
    return nil
  }

  /// Throws 422 when a target's host has an address that no request may go to. A name that cannot be looked up now is
  /// accepted, since each delivery checks the address that it connects to.
  static func requireAdmitted(
    _ target: String, by networks: AdmittedNetworks, for user: Identifier, _ lookups: TargetLookups, on loop: EventLoop
  ) async throws {
    guard let host = ServiceURL(target)?.host else { return }
    let addresses = try await lookups.addresses(of: host, for: user, on: loop)
    if addresses.contains(where: { !(PeerAddress($0).map(networks.admits) ?? false) }) {
      throw ValidationError("/target", "is at an address of a private network, which this server does not call")
    }
  }
}

/// The addresses that channels may be at: those of the public internet, and what the operator allows besides.
struct AdmittedNetworks: Sendable {
  let allowed: [AddressBlock]

  func admits(_ address: PeerAddress) -> Bool {
    allowed.contains { $0.contains(address) } || !Self.special.contains { $0.contains(address) }
  }

  /// What is not the public internet, such as private, loopback, link-local (with the metadata services of clouds) and
  /// multicast addresses, and those of IPv6 that stand for IPv4 ones (the IANA's special-purpose registries, RFC 6890).
  private static let special: [AddressBlock] = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48",
    "100::/64", "2001::/23", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
  ].map { AddressBlock($0)! }
}
