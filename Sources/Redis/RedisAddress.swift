import Values

/// Where a Redis is and how to sign in, read from a URL.
///
/// `redis://[user:password@]host[:port][/database]`, the same with `rediss://` by TLS, or
/// `unix://[user:password@]/path[?db=database]`; a password alone is `redis://:password@host`. User, password, host and
/// path may be percent-encoded.
package struct RedisAddress: Sendable, Equatable {
  /// The server's socket.
  package enum Endpoint: Sendable, Equatable {
    case tcp(host: String, port: UInt16)
    case unix(path: String)
  }

  /// The port when the URL names none.
  package static let defaultPort: UInt16 = 6379

  package let endpoint: Endpoint
  package let user: String?
  package let password: String?
  /// The number given to SELECT, 0 by default.
  package let database: Int32
  /// Whether to use TLS; over TCP only.
  package let isEncrypted: Bool

  package init(
    endpoint: Endpoint, user: String? = nil, password: String? = nil, database: Int32 = 0, isEncrypted: Bool = false
  ) {
    self.endpoint = endpoint
    self.user = user
    self.password = password
    self.database = database
    self.isEncrypted = isEncrypted
  }

  /// Parses a URL; the error says what is wrong in one sentence, without the password.
  package init(url: String) throws(RedisAddressError) {
    guard let mark = url.firstRange(of: "://") else {
      throw RedisAddressError("is not a URL: redis://host:port/database or unix:///path is expected")
    }
    var rest = url[mark.upperBound...]
    switch url[..<mark.lowerBound].lowercased() {
    case let scheme where scheme == "redis" || scheme == "rediss":
      let credentials = try Self.takeCredentials(&rest, before: "/")
      let (authority, path) = Self.split(rest, at: "/")
      self.init(
        endpoint: try Self.tcp(authority), user: credentials.user, password: credentials.password,
        database: try Self.database(path ?? ""), isEncrypted: scheme == "rediss")
    case "unix":
      let credentials = try Self.takeCredentials(&rest, before: "/")
      let (path, query) = Self.split(rest, at: "?")
      guard path.first == "/" else { throw RedisAddressError("needs an absolute path: unix:///run/redis.sock") }
      let decoded = try Self.decoded(path, "path")
      guard decoded.utf8.count <= Self.longestPath else {
        throw RedisAddressError("has a socket path of more than \(Self.longestPath) bytes")
      }
      self.init(
        endpoint: .unix(path: decoded), user: credentials.user, password: credentials.password,
        database: try Self.database(unixQuery: query))
    case let scheme:
      throw RedisAddressError("has the scheme \"\(scheme)\": redis://, rediss:// or unix:// is expected")
    }
  }

  /// The longest path that fits into `sun_path` with its closing NUL (unix(7)), in bytes.
  private static let longestPath = 107

  /// Parses host and port, with an error of its own for each fault; the host may be percent-encoded.
  private static func tcp(_ authority: Substring) throws(RedisAddressError) -> Endpoint {
    var host = authority
    var port: Substring?
    if authority.first == "[" {
      // A literal IPv6 address (RFC 3986, section 3.2.2).
      guard let end = authority.firstIndex(of: "]") else { throw RedisAddressError("has an unclosed [ in its host") }
      host = authority[authority.index(after: authority.startIndex)..<end]
      let tail = authority[authority.index(after: end)...]
      guard tail.isEmpty || tail.first == ":" else { throw RedisAddressError("has more than a port after ]") }
      port = tail.isEmpty ? nil : tail.dropFirst()
    } else {
      (host, port) = split(authority, at: ":")
    }
    let name = try decoded(host, "host")
    guard !name.isEmpty else { throw RedisAddressError("names no host") }
    guard let port else { return .tcp(host: name, port: defaultPort) }
    guard let number = UInt16(digits: port), number > 0 else {
      throw RedisAddressError("has a port that is not a number of 1 to 65535")
    }
    return .tcp(host: name, port: number)
  }

  /// Removes `user:password@` from the front of `rest` and returns it. The last @ before the path counts, so that a
  /// password may hold a bare one.
  private static func takeCredentials(
    _ rest: inout Substring, before end: Character
  ) throws(RedisAddressError) -> (user: String?, password: String?) {
    let authority = rest[..<(rest.firstIndex(of: end) ?? rest.endIndex)]
    guard let mark = authority.lastIndex(of: "@") else { return (nil, nil) }
    let (user, password) = split(authority[..<mark], at: ":")
    rest = rest[rest.index(after: mark)...]
    guard let password else { throw RedisAddressError("has a user without a password: user:password@ is expected") }
    let name = try decoded(user, "user")
    return (name.isEmpty ? nil : name, try decoded(password, "password"))
  }

  private static func database(unixQuery query: Substring?) throws(RedisAddressError) -> Int32 {
    guard let query, !query.isEmpty else { return 0 }
    let (name, value) = split(query, at: "=")
    guard name == "db", let value else { throw RedisAddressError("has a query other than ?db=number") }
    return try database(value)
  }

  private static func database(_ text: Substring) throws(RedisAddressError) -> Int32 {
    if text.isEmpty { return 0 }
    guard let database = Int32(digits: text) else {
      throw RedisAddressError("has a database that is not a number")
    }
    return database
  }

  private static func split(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
    guard let index = text.firstIndex(of: mark) else { return (text, nil) }
    return (text[..<index], text[text.index(after: index)...])
  }

  /// Undoes percent-encoding (RFC 3986, section 2.1).
  private static func decoded(_ text: Substring, _ part: String) throws(RedisAddressError) -> String {
    guard let decoded = ServiceURL.percentDecoded(text), !decoded.utf8.contains(0) else {
      throw RedisAddressError("has a \(part) that is not text, or a broken percent sign in it")
    }
    return decoded
  }
}

/// What is wrong with a Redis URL; `description` continues the variable's name and never holds the password.
package struct RedisAddressError: Error, Equatable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

extension RedisAddress: CustomStringConvertible {
  /// The URL without user and password.
  package var description: String { description(login: "") }

  /// The URL with `login` before the host.
  package func description(login: String) -> String {
    switch endpoint {
    case .tcp(let host, let port):
      "\(isEncrypted ? "rediss" : "redis")://\(login)\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
    case .unix(let path): "unix://\(login)\(path)" + (database == 0 ? "" : "?db=\(database)")
    }
  }
}
