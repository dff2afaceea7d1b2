import HTTP
import Secrets
import Web

/// Checks and hashes the passwords of members. Those of one network have a share of the places alone, so that none
/// keeps the others from signing in; one more is answered with 503.
struct MemberPasswords {
  let pool: PasswordPool
  let shares: ClientShares

  /// Whether a password has that hash; without one it is false after the same time.
  func verify(_ password: String, against hash: String?, from address: PeerAddress) async throws -> Bool {
    try await sharing(address) { try await pool.verify(password, against: hash) }
  }

  /// A new hash of a password.
  func hash(_ password: String, from address: PeerAddress) async throws -> String {
    try await sharing(address) { try await pool.hash(password) }
  }

  private func sharing<Value>(_ address: PeerAddress, _ body: () async throws -> Value) async throws -> Value {
    guard let share = shares.take(address.network.text) else { throw Problem(Limit.passwords) }
    defer { withExtendedLifetime(share) {} }
    return try await body()
  }
}
