/// Where a service is reached: an absolute URL with an authority (RFC 3986), in parts.
///
/// Strict about what it reads: a scheme, a host and a port of 1…65535 or none, only visible ASCII; no fragment.
package struct ServiceURL: Hashable, Sendable {
  /// In lower case.
  package let scheme: String
  /// Percent-decoded; nil when absent or empty.
  package let user: String?
  /// Percent-decoded; nil when absent.
  package let password: String?
  /// As written, without the brackets of an IPv6 address.
  package let host: String
  /// As written; nil means the scheme's default.
  package let port: UInt16?
  /// As written: empty, or from the first slash on.
  package let path: String
  /// As written, without its question mark.
  package let query: String?

  /// Reads a URL; nil when it is malformed.
  package init?(_ text: String) {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !text.utf8.contains(UInt8(ascii: "#")),
      let (scheme, rest) = Self.split(text[...], at: "://"), Self.isScheme(scheme)
    else { return nil }
    let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    var authority = rest[..<authorityEnd]
    var user: String?
    var password: String?
    if let at = authority.lastIndex(of: "@") {
      let names = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.percentDecoded(names[0]) else { return nil }
      if !name.isEmpty { user = name }
      if names.count == 2 {
        guard let secret = Self.percentDecoded(names[1]) else { return nil }
        password = secret
      }
      authority = authority[authority.index(after: at)...]
    }
    guard let (host, port) = Self.hostAndPort(authority) else { return nil }
    let pathEnd = rest[authorityEnd...].firstIndex(of: "?") ?? rest.endIndex
    self.scheme = scheme.lowercased()
    self.user = user
    self.password = password
    self.host = host
    self.port = port
    path = String(rest[authorityEnd..<pathEnd])
    query = pathEnd == rest.endIndex ? nil : String(rest[rest.index(after: pathEnd)...])
  }

  /// Makes a URL of its parts, without a user, a password or a query.
  package init(scheme: String, host: String, port: UInt16?, path: String) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
    user = nil
    password = nil
    query = nil
  }

  /// Returns this URL with `suffix` after its path, which loses one slash at its end; user, password and query are
  /// dropped.
  package func appending(path suffix: String) -> ServiceURL {
    ServiceURL(
      scheme: scheme, host: host, port: port, path: (path.hasSuffix("/") ? String(path.dropLast()) : path) + suffix)
  }

  /// The host, bracketed if it is an IPv6 address, and the port if there is one: the value of a Host field.
  package var authority: String {
    let host = host.contains(":") ? "[\(host)]" : host
    return port.map { "\(host):\($0)" } ?? host
  }

  /// Path and query as a request line has them: at least a slash.
  package var target: String {
    (path.isEmpty ? "/" : path) + (query.map { "?\($0)" } ?? "")
  }

  private static func isScheme(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, first.isASCIILetter else { return false }
    return text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || [0x2B, 0x2D, 0x2E].contains($0) }
  }

  /// Splits an authority without a user, such as the value of a Host field; a host is given without the brackets of an
  /// IPv6 address. Nil when it is malformed.
  package static func hostAndPort(_ authority: Substring) -> (host: String, port: UInt16?)? {
    let host: Substring
    var rest: Substring
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { return nil }
      host = authority[authority.index(after: authority.startIndex)..<end]
      rest = authority[authority.index(after: end)...]
    } else {
      let end = authority.firstIndex(of: ":") ?? authority.endIndex
      host = authority[..<end]
      rest = authority[end...]
    }
    guard !host.isEmpty else { return nil }
    if rest.isEmpty { return (String(host), nil) }
    guard rest.removeFirst() == ":", let port = UInt16(digits: rest), port > 0 else { return nil }
    return (String(host), port)
  }

  private static func split(_ text: Substring, at separator: String) -> (Substring, Substring)? {
    let bytes = text.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix(separator) else { return nil }
    return (text[..<colon], text[text.index(colon, offsetBy: separator.count)...])
  }

  /// Undoes percent-encoding (section 2.1); nil when it is broken or hides something else than UTF-8.
  package static func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
        return nil
      }
      bytes.append(UInt8(high << 4 | low))
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension ServiceURL: CustomStringConvertible {
  /// The URL without its user and password.
  package var description: String { "\(scheme)://\(authority)\(path)\(query.map { "?\($0)" } ?? "")" }
}
