import JSON
import Postgres
import Reactor
import Values

@testable import Secrets
@testable import Web

extension LiveServer {
  /// The password of all users that `signedIn` makes.
  static let password = "a long enough password"

  /// Makes a user who has signed in. Account and session are written straight to the database, which is faster, since
  /// most tests need one; registration and login have tests of their own. The user has a new id unless one is `given`.
  func signedIn(role: Role = .user, id given: Identifier? = nil) throws -> (client: Client, id: Identifier) {
    let now = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
    let (id, session) = (
      given ?? Identifier.make(unixMilliseconds: now.unixMilliseconds),
      Identifier.make(unixMilliseconds: now.unixMilliseconds)
    )
    try withDatabase { database in
      let email = "\(id)@example.org"
      try await database.execute(
        """
        INSERT INTO users (id, email, email_key, display_name, role, password_hash, created_at, updated_at)
        VALUES (\(id), \(email), \(email), 'Test', \(role.rawValue), \(self.passwordHash), \(now), \(now))
        """)
      try await database.execute(
        """
        INSERT INTO sessions (id, user_id, client_address, created_at, last_used_at, expires_at)
        VALUES (\(session), \(id), '127.0.0.1', \(now), \(now), \(now.advanced(byMilliseconds: 86_400_000)))
        """)
    }
    let authority = TokenAuthority(configuration)
    let token = authority.issue(subject: id, session: session, role: role, at: now).text
    return (Client(self, token: token), id)
  }

  /// Signs in a user whom `signedIn` has made; returns the session's tokens.
  func login(_ id: Identifier) throws -> JSONValue {
    try Client(self).post("/api/sessions", #"{"email":"\#(id)@example.org","password":"\#(Self.password)"}"#).json
  }

  /// Runs `body` with connections to the server's database, and a statement timeout that is enough on a busy machine.
  @discardableResult
  func withDatabase<Value>(_ body: @escaping (Database) async throws -> Value) throws -> Value {
    var configuration = DatabaseConfiguration(url: databaseURL)
    configuration.statementTimeoutMilliseconds = 120_000
    (configuration.readers, configuration.writers) = (1, 1)
    return try Database.standalone(configuration, connectSeconds: 60, body)
  }
}
