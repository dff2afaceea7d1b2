import Secrets

extension Configuration {
  /// Tokens and passwords.
  package struct Accounts: Sendable {
    package internal(set) var jwtSecret = ""
    /// Signs nothing any more, but what it signed is still accepted.
    package internal(set) var previousJWTSecret: String?
    package internal(set) var issuer = ""
    package internal(set) var audience = ""
    package internal(set) var accessTokenSeconds = 0
    package internal(set) var refreshTokenDays = 0
    package internal(set) var registration = Registration.open
    package internal(set) var hashingParallelism = 0
    package internal(set) var hashingQueueLength = 0
    /// The cost of a password's hash: no setting, since there is no reason to lower it.
    package internal(set) var passwordCost = ScryptCost.standard

    static let settings = [
      Setting(
        "JWT_SECRET", \.accounts.jwtSecret, .text(4_096),
        default: .init(description: "random at each start; required in staging and production") { deployment, machine in
          deployment.refusesWeakSecrets ? nil : machine.randomSecret
        }, isSecret: true, "Signs access tokens: at least 32 random bytes."),
      Setting(
        "JWT_SECRET_PREVIOUS", optional: \.accounts.previousJWTSecret, .text(4_096), isSecret: true,
        """
        The previous secret: tokens signed with it stay valid until they expire, and webhooks' secrets sealed with it \
        are sealed again.
        """),
      Setting("JWT_ISSUER", \.accounts.issuer, .text(120), default: .text("terroir"), "`iss` of access tokens."),
      Setting("JWT_AUDIENCE", \.accounts.audience, .text(120), default: .text("terroir"), "`aud` of access tokens."),
      Setting(
        "ACCESS_TOKEN_SECONDS", \.accounts.accessTokenSeconds, .integer(60...86_400), default: .text("900"),
        "How long an access token is valid."),
      Setting(
        "REFRESH_TOKEN_DAYS", \.accounts.refreshTokenDays, .integer(1...365), default: .text("30"),
        "How long a refresh token is valid, and for how long a used one that comes back ends its session."),
      Setting(
        "REGISTRATION", \.accounts.registration, .name, default: .text("open"),
        "Who may register: open, everyone; invite, people invited to a garden; closed, nobody (`terroir user create`)."),
      Setting(
        "PASSWORD_HASHING_PARALLELISM", \.accounts.hashingParallelism, .integer(1...PasswordPool.maximumThreads),
        default: .init(
          description: "half of the usable cores, and what fits into a quarter of the memory limit; at most 16"
        ) { _, machine in "\(parallelism(on: machine))" },
        "How many passwords are hashed at a time, 32 MiB each."),
      Setting(
        "PASSWORD_HASHING_QUEUE", \.accounts.hashingQueueLength, .integer(1...10_000), default: .text("32"),
        """
        Passwords that may wait to be hashed. Registrations may take a quarter of that, and so may one network; more are \
        answered 503.
        """),
    ]

    private static func parallelism(on machine: Machine) -> Int {
      let fitting = (machine.memoryLimitBytes ?? .max) / 4 / UInt64(ScryptCost.standard.memoryBytes)
      return max(1, min(machine.processors / 2, Int(min(fitting, UInt64(PasswordPool.maximumThreads)))))
    }
  }

  /// Who may register.
  package enum Registration: String, Sendable, CaseIterable {
    case open, closed, invite
  }
}
