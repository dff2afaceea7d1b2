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
    var readers: [Identifier: Readers] = [:]
    let users = Set(watching.flatMap(\.watchers).compactMap(\.identity.user))
    for row in try await database.query(Self.readers, watching.map(\.garden), Array(users)) {
      let (garden, isPublic, members) = try row.decode((Identifier.self, Bool.self, [Identifier].self))
      readers[garden] = Readers(isPublic: isPublic, members: members)
    }
    var lost: [EventWatcher] = []
    for (garden, watchers) in watching {
      for watcher in watchers where try await !mayWatch(watcher.identity, readers[garden], now) {
        lost.append(watcher)
      }
    }
    return lost
  }

  private func mayWatch(
    _ identity: Identity, _ readers: Readers?, _ now: Timestamp
  ) async throws -> Bool {
    guard let readers else { return false }
    guard case .user(let user) = identity else { return readers.isPublic }
    guard readers.isPublic || readers.members.contains(user.id) else { return false }
    return try await credentials.areGood(of: user, at: now)
  }

  /// Who may see a garden.
  private struct Readers {
    let isPublic: Bool
    /// Its owner, and its members as far as they watch.
    let members: [Identifier]
  }

  private static let readers = Statement(
    "gardens.readers",
    """
    SELECT id, public, owner_id || ARRAY(
      SELECT user_id FROM garden_members m WHERE m.garden_id = gardens.id AND m.user_id = ANY ($2))
    FROM gardens WHERE id = ANY ($1)
    """)
}
