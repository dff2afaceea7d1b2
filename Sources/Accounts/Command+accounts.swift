import Commands
import JSON
import Postgres
import Reactor
import Secrets
import Settings
import Values
import Web

/// The operator's commands for accounts. They work on the database itself, also when nobody can sign in.
extension Command {
  /// All commands that begin with `user`.
  package static let accounts: [Command] = [create, setPassword, list, disable, enable, promote]

  /// Makes an account, also where registration is closed.
  static let create = Command(
    "user create", operands: ["EMAIL"],
    options: [Option("--name", value: "NAME", "The name that others see; by default the part of EMAIL before the @.")],
    "Makes an account with the password from standard input.",
    body: .onAccounts({ try ($0.newAccount(), $0.passwordHash()) }) { database, invocation, given in
      let (email, (form, hash)) = (invocation.operands[0], given)
      let id = Identifier.make(unixMilliseconds: Clock.unixMilliseconds())
      do {
        try await database.execute(
          """
          INSERT INTO users (id, email, email_key, display_name, password_hash, created_at, updated_at)
          VALUES (\(id), \(email), \(email.asciiLowercased), \(form.displayName), \(hash), now(), now())
          """)
      } catch let error as PostgresError where error.isUniqueViolation {
        throw CommandFault("an account with this email address already exists")
      }
      return "\(email) has an account.\n"
    })

  /// Sets a new password for a user who has forgotten the old one.
  static let setPassword = Command(
    "user password", operands: ["EMAIL"],
    "Sets an account's password from standard input, and ends its sessions and tokens.",
    body: .onAccounts({ try $0.passwordHash() }) { database, invocation, hash in
      let email = invocation.operands[0]
      try await database.transaction { transaction in
        let user = try await account(email, in: transaction)
        try await Recovery.setPassword(hash, of: user, in: transaction)
      }
      return "\(email) has a new password.\n"
    })

  static let list = Command(
    "user list", "Lists all accounts: email address, name, role, enabled or disabled, and when made.",
    body: .onAccounts { database, _ in
      let rows = try await database.query(
        "SELECT email, display_name, role, disabled, created_at FROM users ORDER BY id")
      let lines = try rows.map { row in
        let (email, name, role, isDisabled, createdAt) = try row.decode(
          (String.self, String.self, String.self, Bool.self, Timestamp.self))
        return "\(email)\t\(name)\t\(role)\t\(isDisabled ? "disabled" : "enabled")\t\(createdAt)\n"
      }
      return lines.joined()
    })

  static let disable = Command(
    "user disable", operands: ["EMAIL"], "Ends an account's sessions, and stops it, its devices, invitations and shop.",
    body: .onAccounts { database, invocation in
      try await setDisabled(true, invocation.operands[0], database)
      return "\(invocation.operands[0]) is disabled.\n"
    })

  static let enable = Command(
    "user enable", operands: ["EMAIL"], "Lets a disabled account sign in again.",
    body: .onAccounts { database, invocation in
      try await setDisabled(false, invocation.operands[0], database)
      return "\(invocation.operands[0]) is enabled.\n"
    })

  /// Makes an account an administrator's, which no request can do.
  static let promote = Command(
    "user promote", operands: ["EMAIL"], "Makes an account an administrator.",
    body: .onAccounts { database, invocation in
      let email = invocation.operands[0]
      try await database.transaction { transaction in
        let user = try await account(email, in: transaction)
        _ = try await transaction.query("UPDATE users SET role = 'admin', updated_at = now() WHERE id = \(user)")
      }
      return "\(email) is an administrator.\n"
    })

  private static func setDisabled(_ isDisabled: Bool, _ email: String, _ database: Database) async throws {
    try await database.transaction { transaction in
      let user = try await account(email, in: transaction)
      _ = try await transaction.query(
        "UPDATE users SET disabled = \(isDisabled), updated_at = now() WHERE id = \(user)")
      if isDisabled {
        _ = try await Sessions.end(transaction, user: user, except: nil, at: nil)
      }
    }
  }

  private static func account(_ email: String, in transaction: Transaction) async throws -> Identifier {
    let rows = try await transaction.query(
      "SELECT id FROM users WHERE email_key = \(email.asciiLowercased) FOR NO KEY UPDATE")
    guard let row = rows.first else { throw CommandFault("there is no account with this email address") }
    return try row.decode(Identifier.self, 0)
  }
}

extension Command.Body {
  /// Opens the database, and prints the text that `body` returns.
  fileprivate static func onAccounts(
    _ body: @escaping @Sendable (Database, Command.Invocation) async throws -> String
  ) -> Command.Body {
    onAccounts({ _ in }) { database, invocation, _ in try await body(database, invocation) }
  }

  /// Opens the database with what `prepare` has returned before: a hash takes longer than the database's loop may stand
  /// still.
  fileprivate static func onAccounts<Given: Sendable>(
    _ prepare: @escaping @Sendable (Command.Invocation) throws -> Given,
    _ body: @escaping @Sendable (Database, Command.Invocation, Given) async throws -> String
  ) -> Command.Body {
    .configured { configuration, invocation in
      do {
        let given = try prepare(invocation)
        let text = try Database.standalone(configuration.pool, connectSeconds: 10) {
          try await body($0, invocation, given)
        }
        try invocation.console.write(text)
        return ExitCode.success
      } catch let error as PostgresError where error.isUndefinedTable {
        throw CommandFault("the database has no tables yet; run terroir migrate first")
      }
    }
  }
}

extension Command.Invocation {
  fileprivate func newAccount() throws -> NewAccount { try NewAccount(email: operands[0], name: options["--name"]) }

  /// Reads a new password, the first line of standard input, and returns its hash.
  fileprivate func passwordHash() throws -> String {
    guard let line = console.readSecret("Password: ") else { throw CommandFault("standard input has no password") }
    // Repaired, it would be another password, which nobody knows.
    guard let password = String(validating: line, as: UTF8.self) else {
      throw CommandFault("the password is not UTF-8")
    }
    if let fault = PasswordPolicy.fault(password) { throw CommandFault("the password \(fault)") }
    return Password.hash(password)
  }
}

/// An account that is to be made, held to the same rules as one that registers.
private struct NewAccount {
  let displayName: String

  init(email: String, name: String?) throws {
    let name = name ?? String(email.prefix { $0 != "@" }.prefix(80))
    var json = JSONWriter()
    json.object { json in
      json.member("email", email)
      json.member("displayName", name)
    }
    do {
      displayName = try Form(reading: try JSONReader.parse(json.take())).displayName
    } catch let error as ValidationError {
      throw CommandFault(error.faults.map { "\($0.pointer.dropFirst()) \($0.detail)" }.joined(separator: "; "))
    }
  }

  private struct Form: JSONForm {
    let displayName: String

    init(_ fields: inout Fields) {
      _ = fields.required("email", .email)
      displayName = fields.required("displayName", .displayName)
    }
  }
}
