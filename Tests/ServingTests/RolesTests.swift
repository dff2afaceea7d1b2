import Glibc
import Postgres
import Reactor
import Telemetry
import Testing
import Values

@testable import Gardens
@testable import Migrations
@testable import Settings

/// The roles that `scripts/postgres-roles` and `scripts/redis-start` make, on the private stores.
@Suite("The roles of the stores", .blocking, .serialized)
struct RolesTests {
  private static let password = "0123456789abcdef"

  /// A database with the roles.
  private struct Roles {
    let superuser: String

    init(_ database: String) throws {
      superuser = database
      let words = database.split { "/:@".contains($0) }.map { String($0) }
      let file = "/tmp/terroir-role-password-\(getpid())"
      let variables = [
        "PGUSER": words[1], "PGPASSWORD": words[2], "PGHOST": words[3], "PGPORT": words[4], "PGDATABASE": words[5],
        "OWNER_PASSWORD_FILE": file, "API_PASSWORD_FILE": file, "EXPORTER_PASSWORD_FILE": file,
      ]
      let settings = variables.map { "\($0)='\($1)'" }.joined(separator: " ")
      let command = "cat >\(file); \(settings) '\(Repository.root)scripts/postgres-roles' && rm \(file)"
      let shell = try #require(popen(command, "w"))
      fputs(RolesTests.password, shell)
      try #require(pclose(shell) == 0)
    }

    func url(_ role: String, database: String? = nil) -> String {
      let host = superuser[superuser.index(after: superuser.lastIndex(of: "@")!)...]
      let end = host.lastIndex(of: "/")!
      return
        "postgres://\(role):\(RolesTests.password)@\(host[..<end])/\(database ?? String(host[host.index(after: end)...]))"
    }

    func migrate() throws { try RolesTests.run(url("terroir_owner")) { _ = try await Migrator(database: $0).run() } }

    /// The SQLSTATE with which a role's statement fails; nil when it does not.
    func refusal(_ role: String, _ sql: String) throws -> String? {
      do {
        try RolesTests.run(url(role)) { database in
          try await database.transaction { try await $0.script(sql) }
        }
        return nil
      } catch let error as PostgresError {
        return error.sqlState
      }
    }
  }

  private static func run<Value>(_ url: String, _ body: @escaping (Database) async throws -> Value) throws -> Value {
    try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 10, body)
  }

  private static let insufficientPrivilege = "42501"

  @Test(
    "let the server serve and maintain its partitions, but not drop tables, use other databases or record migrations",
    arguments: [false, true])
  func postgres(wasWithoutRoles: Bool) throws {
    let database = try TestDatabase.make()
    if wasWithoutRoles { try Self.run(database) { _ = try await Migrator(database: $0).run() } }
    let roles = try Roles(database)
    try roles.migrate()

    let server = try LiveServer([
      "DATABASE_URL": roles.url("terroir_api"), "MIGRATE_ON_START": "off", "READINGS_RAW_DAYS": "2",
    ])
    defer { server.stop() }
    let device = try TestDevice(server)
    let now = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
    #expect(try device.post(device.client, [Sample(value: 20, at: now)]).status == 200)
    #expect(try device.stored().count == 1)
    let partitions = ReadingPartitions(
      retention: Retention(days: 2), logger: Logger(LogSink(style: server.configuration.logStyle)))
    let past = CivilDate(now).advanced(byDays: -10)
    func drop() throws -> [CivilDate] {
      try server.withDatabase { database in
        try await database.transaction { transaction in
          try await partitions.make([past], transaction)
          return try await partitions.drop(transaction)
        }
      }
    }
    // Tried again, as the duty does, while other sessions hold the tables.
    #expect(holds(within: 20) { (try? drop()) == [past] })

    for statement in [
      "DROP TABLE gardens", "DROP TABLE \(ReadingPartitions.table(of: CivilDate(now)))", "TRUNCATE users",
      "ALTER TABLE users ADD x int", "CREATE TABLE x ()", "CREATE TEMP TABLE x ()", "DELETE FROM schema_migrations",
      "INSERT INTO schema_migrations VALUES (1000, 'x', '')", "SELECT * FROM pg_authid",
      "COPY users TO PROGRAM 'true'", "ALTER ROLE terroir_api SUPERUSER",
    ] {
      #expect(try roles.refusal("terroir_api", statement) == Self.insufficientPrivilege, "\(statement)")
    }
    #expect(throws: PostgresError.self) {
      try Self.run(roles.url("terroir_api", database: "postgres")) { try await $0.execute("SELECT 1") }
    }
  }

  @Test("let the exporter read statistics, but no rows")
  func exporter() throws {
    let roles = try Roles(TestDatabase.make())
    try roles.migrate()
    let hidden = try Self.run(roles.url("terroir_exporter")) { database in
      let rows = try await database.query(
        "SELECT count(*) FROM pg_stat_activity WHERE query = '<insufficient privilege>'")
      return try rows[0].decode(Int.self, 0)
    }
    #expect(hidden == 0)
    #expect(try roles.refusal("terroir_exporter", "SELECT FROM pg_stat_replication, pg_ls_waldir()") == nil)
    for statement in [
      "SELECT FROM public.users", "SELECT public.readings_partition_drop('2026-01-01')", "CREATE TABLE public.x ()",
    ] {
      #expect(try roles.refusal("terroir_exporter", statement) == Self.insufficientPrivilege, "\(statement)")
    }
  }

  /// The rules that the script gives to a user of Redis.
  private static func rules(of user: String) throws -> [String] {
    let script = try Repository.text(of: "scripts/redis-start")
    let line = try #require(script.split(separator: "\n").first { $0.hasPrefix("user \(user) ") })
    return line.split(separator: ")").last!.split(separator: " ").map { String($0) }
  }

  @Test("let the server use its own keys in Redis, but neither empty nor configure it")
  func redis() throws {
    let admin = try RedisWire()
    let user = "roles-api"
    try admin.send(["ACL", "SETUSER", user, "reset", "on", ">\(Self.password)"] + Self.rules(of: "terroir_api"))
    defer { _ = try? admin.send("ACL", "DELUSER", user) }
    let url = try TestStores.redisURL
    let own = "redis://\(user):\(Self.password)" + url[url.lastIndex(of: "@")!...]
    let server = try LiveServer(["REDIS_URL": own, "REDIS_PREFIX": "terroir:roles:", "RATE_LIMIT_ANONYMOUS": "1000/60"])
    defer { server.stop() }
    let device = try TestDevice(server)
    let events = try EventStream(server, "\(device.garden)", token: device.owner.token)
    let now = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
    #expect(try device.owner.get("/api/gardens/\(device.garden)/latest").status == 200)
    #expect(try device.post(device.client, [Sample(value: 20, at: now)]).status == 200)
    _ = try events.next()
    #expect(try Client(server, token: nil).get("/api/businesses").status == 200)
    #expect(try Client(server, token: nil).get("/health").status == 200)
    let refused = try admin.send("ACL", "LOG").contains(user)
    #expect(!refused)
    for command in [
      "FLUSHALL", "KEYS *", "CONFIG GET *", "GET other", "PUBLISH other x", "ACL LIST", "CLIENT LIST", "SHUTDOWN",
    ] {
      let dry = try admin.send(["ACL", "DRYRUN", user] + command.split(separator: " ").map { String($0) })
      #expect(dry != "OK", "\(command)")
    }
  }
}
