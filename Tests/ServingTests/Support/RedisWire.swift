import Redis
import Testing
import Values

/// A plain blocking client of the private Redis, for what a test does behind the server's back.
final class RedisWire {
  private let wire: Wire

  init() throws {
    let address = try RedisAddress(url: try TestStores.redisURL)
    guard case .tcp(_, let port) = address.endpoint else { throw Unsupported() }
    wire = try Wire(port: port)
    if let password = address.password { try send("AUTH", password) }
  }

  /// Connects to the Redis at a port of the loopback address, without a password.
  init(port: UInt16) throws { wire = try Wire(port: port) }

  struct Unsupported: Error {}

  /// Sends a command and returns its reply as text, the elements of an array with spaces between.
  @discardableResult
  func send(_ command: String...) throws -> String { try send(command) }

  /// Sends a command and returns its reply as text; see above.
  @discardableResult
  func send(_ command: [String]) throws -> String {
    var text = "*\(command.count)\r\n"
    for word in command { text += "$\(word.utf8.count)\r\n\(word)\r\n" }
    try wire.send(text)
    return try receive()
  }

  /// Waits for the next reply or message of a channel and returns it as text; see above.
  func receive() throws -> String {
    let line = String(decoding: try wire.take(until: Array("\r\n".utf8)).dropLast(2), as: UTF8.self)
    let rest = String(line.dropFirst())
    switch line.first {
    case "$":
      return (Int(rest) ?? -1) < 0 ? "" : String(decoding: try wire.take(Int(rest)! + 2).dropLast(2), as: UTF8.self)
    case "*": return try (0..<max(0, Int(rest) ?? 0)).map { _ in try receive() }.joined(separator: " ")
    default: return rest
    }
  }

  /// Cuts all connections to `database` of Redis, which a server under test has for itself.
  func breakConnections(database: Int) throws {
    for client in try send("CLIENT", "LIST").split(separator: "\n") where client.contains(" db=\(database) ") {
      guard let id = client.split(separator: " ").first?.split(separator: "=").last else { continue }
      try send("CLIENT", "KILL", "ID", String(id))
    }
  }
}

/// A user of the private Redis whom a test can turn away for a while, without any effect on other tests.
final class RedisGuest {
  private let name = "guest-\(Identifier.make(unixMilliseconds: 2))"
  private let wire: RedisWire
  /// The URL of the private Redis for this user.
  let url: String

  init() throws {
    wire = try RedisWire()
    let url = try TestStores.redisURL
    self.url = "redis://\(name):secret" + url[url.lastIndex(of: "@")!...]
    try wire.send("ACL", "SETUSER", name, "on", ">secret", "~*", "&*", "+@all")
  }

  deinit { _ = try? wire.send("ACL", "DELUSER", name) }

  func turnAway() throws {
    try wire.send("ACL", "SETUSER", name, "off")
    try wire.send("CLIENT", "KILL", "USER", name)
  }

  /// Changes the user's rights, and ends its connections.
  func change(_ rule: String) throws {
    try wire.send("ACL", "SETUSER", name, rule)
    try wire.send("CLIENT", "KILL", "USER", name)
  }

  func letIn() throws { try wire.send("ACL", "SETUSER", name, "on") }
}

extension TestStores {
  /// The URL of another database of the private Redis.
  static func redisURL(database: Int) throws -> String {
    let url = try redisURL
    return String(url[..<url.lastIndex(of: "/")!]) + "/\(database)"
  }
}
