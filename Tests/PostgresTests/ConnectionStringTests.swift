import Testing

@testable import Postgres

@Suite("A connection string")
struct ConnectionStringTests {
  private func parameters(_ text: String, _ endpoints: [ServerAddress]? = nil) throws -> [String: String] {
    let string = try ConnectionString(text)
    let pairs = string.parameters(endpoints ?? string.endpoints, DatabaseConfiguration(url: text))
    return Dictionary(pairs, uniquingKeysWith: { $1 })
  }

  @Test("is read as libpq reads it, several hosts included")
  func hosts() throws {
    let text = "postgres://me:p%40ss@a.example:1,10.0.0.2:2,[::1]:3/db?target_session_attrs=primary"
    let string = try ConnectionString(text)
    #expect(
      string.endpoints == [
        ServerAddress(host: "a.example", address: "", port: "1"),
        ServerAddress(host: "10.0.0.2", address: "", port: "2"),
        ServerAddress(host: "::1", address: "", port: "3"),
      ])
    #expect(string.endpoints.map(\.needsLookup) == [true, false, false])
    #expect(string.password == "p@ss")
    let given = try parameters(text)
    #expect(given["host"] == "a.example,10.0.0.2,::1")
    #expect(given["port"] == "1,2,3")
    #expect(given["hostaddr"] == nil)
    #expect(given["target_session_attrs"] == "primary")
    #expect(given["dbname"] == "db")
    #expect(given["user"] == "me")
  }

  @Test("of a Unix socket, or without a host, needs no look-up")
  func local() throws {
    #expect(try ConnectionString("host=/run/postgresql dbname=x").endpoints.map(\.needsLookup) == [false])
    #expect(try ConnectionString("dbname=x").endpoints.isEmpty)
    #expect(try parameters("dbname=x port=5433")["port"] == "5433")
  }

  @Test("accepts looked-up addresses, and applies one port to all hosts")
  func addresses() throws {
    let given = try parameters(
      "host=a,b port=5",
      [ServerAddress(host: "a", address: "1.2.3.4", port: "5"), ServerAddress(host: "a", address: "::1", port: "5")])
    #expect(given["host"] == "a,a")
    #expect(given["hostaddr"] == "1.2.3.4,::1")
    #expect(given["port"] == "5,5")
  }

  @Test("keeps its own options, names and timeouts")
  func options() throws {
    let given = try parameters(
      "postgres://h/db?options=-cstatement_timeout%3D9&application_name=mine&gssencmode=prefer")
    #expect(given["options"] == "-cstatement_timeout=9")
    #expect(given["application_name"] == "mine")
    #expect(given["gssencmode"] == "prefer")
    let secured = try parameters(
      "postgres://h/db?ssl_min_protocol_version=tlsv1.3&ssl_max_protocol_version=&keepalives=0")
    #expect(secured["ssl_min_protocol_version"] == "tlsv1.3" && secured["keepalives"] == "0")
    for text in [
      "connect_timeout=%2010", "connect_timeout=10%20", "ssl_max_protocol_version=TLSv1.2",
      "ssl_min_protocol_version=TLSv1&ssl_max_protocol_version=tlsv1.1",
      "ssl_min_protocol_version=&ssl_max_protocol_version=TLSv1",
    ] { #expect(throws: Never.self) { try ConnectionString("postgres://h/db?\(text)") } }
  }

  @Test("has its sessions set up by a statement, except for what its own options set")
  func sessionSettings() throws {
    let text = "postgres://h/db?options=-cstatement_timeout%3D9%20-cjit%3Don"
    let configuration = DatabaseConfiguration(url: text)
    let plain = try ConnectionString("postgres://h/db").sessionSettings(configuration, of: .reader)
    let own = try ConnectionString(text).sessionSettings(configuration, of: .writer)
    #expect(try parameters("postgres://h/db")["options"] == nil)
    for name in ["statement_timeout", "idle_in_transaction_session_timeout", "timezone", "jit"] {
      #expect(plain.contains("set_config('\(name)'"))
    }
    #expect(plain.contains("'default_transaction_read_only', 'on'") && !own.contains("read_only"))
    #expect(own.contains("'lock_timeout'") && !plain.contains("lock_timeout"))
    #expect(!own.contains("'statement_timeout'") && !own.contains("'jit'") && own.contains("'timezone', 'UTC'"))
  }

  @Test(
    "that is not valid is refused without being quoted",
    arguments: [
      "postgres://me:s3cret@host:port/db", "postgres://me:s3cret@[::1/db", "password=s3cret host", "nonsense=s3cret",
      "host=a,b,c port=1,2 password=s3cret", "postgres://me:s3cret@host:99999/db",
      "postgres://me:s3cret@host/db?sslmode=s3cret", "postgres://me:s3cret@host:0/db",
      "postgres://me:s3cret@host/db?ssl_min_protocol_version=s3cret",
      "postgres://me:s3cret@host/db?keepalives_idle=s3cret", "postgres://me:s3cret@host/db?keepalives_idle=1%200",
      // libpq's own lowest is TLSv1.2.
      "postgres://me:s3cret@host/db?ssl_max_protocol_version=TLSv1.1",
      "postgres://me:s3cret@host/db?ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
    ])
  func refused(_ text: String) {
    let fault = #expect(throws: ConnectionStringError.self) { try ConnectionString(text) }
    #expect(fault?.description.contains("s3cret") == false)
  }
}
