import CPostgres
import Glibc
import Values

/// One server that a connection string names.
struct ServerAddress: Equatable, Sendable {
  /// A name, an address or the directory of a Unix socket.
  var host: String
  /// The numeric address, empty until it is known and for Unix sockets.
  var address: String
  /// Empty for the default.
  var port: String

  /// Whether the name has to be looked up before connecting.
  var needsLookup: Bool {
    address.isEmpty && !host.isEmpty && !host.hasPrefix("/") && !host.hasPrefix("@") && !isNumeric
  }

  private var isNumeric: Bool {
    var bytes = in6_addr()
    return inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1
  }
}

/// A parsed connection string, so that hosts can be resolved without blocking and nothing in it is printed.
struct ConnectionString: Sendable {
  let endpoints: [ServerAddress]
  let password: String?
  /// Everything but the hosts, as libpq's keywords.
  private let options: [(keyword: String, value: String)]

  /// Parses a connection string; errors show no value of it, since it may hold a password.
  init(_ text: String) throws(ConnectionStringError) {
    guard let parsed = PQconninfoParse(text, nil) else {
      throw ConnectionStringError("cannot be read; it should look like postgresql://user:password@host:5432/name")
    }
    defer { PQconninfoFree(parsed) }
    var given: [String: String] = [:]
    var options: [(keyword: String, value: String)] = []
    var option = parsed
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        let name = String(cString: keyword)
        given[name] = String(cString: value)
        if name != "host", name != "hostaddr", name != "port" { options.append((name, given[name]!)) }
      }
      option += 1
    }
    try Self.check(given)
    self.options = options
    password = given["password"]
    endpoints = try Self.endpoints(given)
  }

  /// Throws for faults that libpq finds only when it connects, each time anew, and not when it parses the string.
  private static func check(_ given: [String: String]) throws(ConnectionStringError) {
    for (keyword, words) in words {
      guard let value = given[keyword], !words.contains(value) else { continue }
      throw ConnectionStringError("has a \(keyword) that is none of \(words.joined(separator: ", "))")
    }
    let lowest = try tlsBound("ssl_min_protocol_version", given, otherwise: "TLSv1.2")
    let highest = try tlsBound("ssl_max_protocol_version", given)
    if let lowest, let highest, lowest > highest {
      throw ConnectionStringError("has an ssl_max_protocol_version below the lowest, \(protocols[lowest])")
    }
    for keyword in numbers {
      guard let value = given[keyword], Int32(value.trimmingWhitespace) == nil else { continue }
      throw ConnectionStringError("has a \(keyword) that is not a whole number")
    }
  }

  /// The rank of a TLS version bound in libpq's list; libpq's default where the string names none, nil where there is
  /// none.
  private static func tlsBound(
    _ keyword: String, _ given: [String: String], otherwise own: String = ""
  ) throws(ConnectionStringError) -> Int? {
    let version = (given[keyword] ?? own).lowercased()
    if version.isEmpty { return nil }
    guard let index = protocols.firstIndex(where: { $0.lowercased() == version }) else {
      throw ConnectionStringError("has a \(keyword) that is none of \(protocols.joined(separator: ", "))")
    }
    return index
  }

  private static let words = [
    ("sslmode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
    ("channel_binding", ["disable", "prefer", "require"]), ("gssencmode", ["disable", "prefer", "require"]),
    (
      "target_session_attrs", ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]
    ),
  ]
  private static let protocols = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
  private static let numbers = [
    "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
  ]

  private static func endpoints(_ given: [String: String]) throws(ConnectionStringError) -> [ServerAddress] {
    func list(_ keyword: String) -> [String] {
      given[keyword].map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
    }
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
    let count = max(hosts.count, addresses.count)
    guard hosts.isEmpty || addresses.isEmpty || hosts.count == addresses.count,
      ports.count <= 1 || ports.count == count
    else { throw ConnectionStringError("names different numbers of hosts and ports") }
    for port in ports where !port.isEmpty && (UInt16(port) ?? 0) == 0 {
      throw ConnectionStringError("names an invalid port")
    }
    if count == 0 { return ports.isEmpty ? [] : [ServerAddress(host: "", address: "", port: ports[0])] }
    return (0..<count).map { index in
      ServerAddress(
        host: hosts.isEmpty ? "" : hosts[index], address: addresses.isEmpty ? "" : addresses[index],
        port: ports.isEmpty ? "" : ports.count == 1 ? ports[0] : ports[index])
    }
  }

  /// The keywords and values for libpq, with `endpoints` in place of the hosts of the string.
  func parameters(
    _ endpoints: [ServerAddress], _ configuration: DatabaseConfiguration
  ) -> [(keyword: String, value: String)] {
    var parameters: [(keyword: String, value: String)] = [
      // Looking for Kerberos tickets would block the loop. The string's own options come later in this list, and win.
      ("gssencmode", "disable"),
      ("fallback_application_name", configuration.applicationName),
      ("keepalives_idle", "30"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
      ("tcp_user_timeout", String(configuration.statementTimeoutMilliseconds + configuration.graceMilliseconds)),
    ]
    parameters += options
    // Texts are UTF-8 here, whatever the string says.
    parameters.append(("client_encoding", "UTF8"))
    if !endpoints.isEmpty {
      parameters.append(("host", endpoints.map(\.host).joined(separator: ",")))
      if endpoints.contains(where: { !$0.address.isEmpty }) {
        parameters.append(("hostaddr", endpoints.map(\.address).joined(separator: ",")))
      }
      if endpoints.contains(where: { !$0.port.isEmpty }) {
        parameters.append(("port", endpoints.map(\.port).joined(separator: ",")))
      }
    }
    return parameters
  }

  /// Returns the SQL that gives a session its settings: SQL, since poolers do not pass start-up options on. What the
  /// string's own `options` set is left alone. `jit` is off because compiling takes longer than most of our statements,
  /// and those over many partitions look costly enough to the planner to be compiled.
  func sessionSettings(_ configuration: DatabaseConfiguration, of role: PostgresConnection.Role) -> String {
    let own = options.first { $0.keyword == "options" }?.value ?? ""
    var settings = [
      ("statement_timeout", String(configuration.statementTimeoutMilliseconds)),
      ("idle_in_transaction_session_timeout", String(configuration.idleTransactionTimeoutMilliseconds)),
      ("client_min_messages", "warning"), ("timezone", "UTC"), ("jit", "off"),
    ]
    // Statements that are sent behind a write wait for it.
    if role == .writer { settings.append(("lock_timeout", String(configuration.lockTimeoutMilliseconds))) }
    settings.removeAll { own.contains("\($0.0)=") }
    if role == .reader { settings.append(("default_transaction_read_only", "on")) }
    return "SELECT " + settings.map { "set_config('\($0)', '\($1)', false)" }.joined(separator: ", ")
  }
}

/// What is wrong with a connection string; `description` continues its name and never holds the password.
package struct ConnectionStringError: Error, Equatable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
