import Postgres
import Values
import Web

/// Asks again whether those who watch gardens still may.
struct EventAccess {
  let database: Database
  let credentials: Credentials

  /// Those who may not any more: the garden is gone or has become private, or their session or token has ended.
  func lost(
    _ watching: [(garden: Identifier, watchers: [EventWatcher])], at now: Timestamp
  ) async throws -> [EventWatcher] {
    var owners: [Identifier: (owner: Identifier, isPublic: Bool)] = [:]
    for row in try await database.query(Self.owners, watching.map(\.garden)) {
      let (garden, owner, isPublic) = try row.decode((Identifier.self, Identifier.self, Bool.self))
      owners[garden] = (owner, isPublic)
    }
    var lost: [EventWatcher] = []
    for (garden, watchers) in watching {
      for watcher in watchers where try await !mayWatch(watcher.identity, owners[garden], now) {
        lost.append(watcher)
      }
    }
    return lost
  }

  private func mayWatch(
    _ identity: Identity, _ garden: (owner: Identifier, isPublic: Bool)?, _ now: Timestamp
  ) async throws -> Bool {
    guard let garden else { return false }
    guard case .user(let user) = identity else { return garden.isPublic }
    guard garden.isPublic || garden.owner == user.id else { return false }
    return try await credentials.areGood(of: user, at: now)
  }

  private static let owners = Statement(
    "gardens.owners", "SELECT id, owner_id, public FROM gardens WHERE id = ANY ($1)")
}
