import CLinux
import HTTP
import Secrets

/// The cookie by which a browser shows its session: no script can read it, and no other site's page has it sent along.
///
/// The prefix (RFC 6265bis, section 4.1.3.2) keeps neighbours on the same host or domain from setting it. It demands
/// `Secure`, which browsers also take for given on loopback without TLS.
package enum SessionCookie {
  static let name = "__Host-terroir"
  /// The longest that browsers keep any cookie (400 days, section 5.5): the server decides how long the session lives.
  private static let maximumAgeSeconds = 34_560_000
  private static let attributes = "Path=/; Secure; HttpOnly; SameSite=Strict"

  /// The key that a request's cookie holds.
  static func key(of request: Request) -> OpaqueKey? {
    for field in request.headers("Cookie") {
      for pair in field.split(separator: ";") {
        let pair = pair.drop { $0 == " " }
        if pair.hasPrefix(name + "=") { return OpaqueKey(pair.dropFirst(name.utf8.count + 1), .sessionKey) }
      }
    }
    return nil
  }

  /// Whether a request may carry a key: a quick look that other cookies do not slow down much.
  static func mayBeIn(_ request: Request) -> Bool {
    switch request.headerCount("Cookie") {
    case 0: false
    case 1: request.withHeader("Cookie") { memmem($0.baseAddress, $0.count, name, name.utf8.count) != nil } ?? false
    default: true
    }
  }

  /// The `Set-Cookie` that gives a browser its key.
  package static func setting(_ key: OpaqueKey) -> String {
    "\(name)=\(key.text); Max-Age=\(maximumAgeSeconds); \(attributes)"
  }

  /// The `Set-Cookie` that takes it away.
  package static let ending = "\(name)=; Max-Age=0; \(attributes)"

  /// Throws 403 for a request that does not come from a page of this server: any other page could have a browser send
  /// it.
  ///
  /// `Sec-Fetch-Site` tells, which no page can forge. Browsers leave it out where there is no TLS; then `Origin` has to
  /// name the host that is asked. Its scheme is not compared, since a proxy may have ended TLS; a cookie that is
  /// `SameSite=Strict` is not sent from another scheme.
  package static func requireOwnPage(_ request: Request) throws {
    let sites = request.headers("Sec-Fetch-Site")
    if sites.isEmpty ? isOwnOrigin(request) : sites == ["same-origin"] { return }
    throw Problem(.forbidden, "With a session cookie, only this server's own pages may change anything; use a token.")
  }

  private static func isOwnOrigin(_ request: Request) -> Bool {
    let origins = request.headers("Origin")
    guard origins.count == 1, let host = request.header("Host"), let end = origins[0].firstRange(of: "://") else {
      return false
    }
    return origins[0][end.upperBound...].lowercased() == host.lowercased()
  }
}
