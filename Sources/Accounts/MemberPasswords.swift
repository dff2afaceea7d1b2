import HTTP
import Secrets
import Web

/// Checks and hashes the passwords of members. A network has only a share of the pool's places, so that none keeps the
/// others from signing in; beyond its share it gets 503.
struct MemberPasswords {
  let pool: PasswordPool
  let shares: ClientShares

  /// Whether `password` matches `hash`; without a hash, false after the same time.
  func verify(_ password: String, against hash: String?, from address: PeerAddress) async throws -> Bool {
    try await sharing(address) { try await pool.verify(password, against: hash) }
  }

  /// Returns a new hash of a password.
  func hash(_ password: String, from address: PeerAddress) async throws -> String {
    try await sharing(address) { try await pool.hash(password) }
  }

  private func sharing<Value>(_ address: PeerAddress, _ body: () async throws -> Value) async throws -> Value {
    guard let share = shares.take(address.network.text) else { throw Problem(Limit.passwords) }
    defer { withExtendedLifetime(share) {} }
    return try await body()
  }
}
