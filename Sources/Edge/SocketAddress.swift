import HTTP
import Values

/// A numeric address and a port, as in `127.0.0.1:5140` or `[::]:5140`.
struct SocketAddress {
  let host: String
  let port: UInt16

  /// Nil for anything else, such as a name, a port 0 or one with a sign.
  init?(_ text: String) {
    guard let (host, port) = ServiceURL.hostAndPort(text[...]), let port, PeerAddress(host) != nil else { return nil }
    (self.host, self.port) = (host, port)
  }
}
