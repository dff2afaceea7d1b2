import Postgres
import Values
import Web

/// Checks whether clients that watch gardens still may, and how much they are told.
struct EventAccess {
  let database: Database
  let credentials: Credentials

  /// Ends the streams of clients that may not watch any more: the garden is gone or has become private, or their
  /// session or token has ended. The others are told what their present role allows.
  func settle(_ watching: [(garden: Identifier, watchers: [EventWatcher])], at now: Timestamp) async throws {
    let asked = database.loop.now
    var readers: [Identifier: Readers] = [:]
    let users = Set(watching.flatMap(\.watchers).compactMap(\.identity.user))
    for row in try await database.query(Self.readers, watching.map(\.garden), Array(users)) {
      let (garden, isPublic, members) = try row.decode((Identifier.self, Bool.self, [Identifier].self))
      readers[garden] = Readers(isPublic: isPublic, members: Set(members))
    }
    for (garden, watchers) in watching {
      for watcher in watchers { settle(watcher, readers[garden], asked) }
    }
    for watcher in watching.flatMap(\.watchers) where !watcher.hasEnded {
      guard case .user(let user) = watcher.identity else { continue }
      if try await !credentials.areGood(of: user, at: now) { watcher.end() }
    }
  }

  private func settle(_ watcher: EventWatcher, _ readers: Readers?, _ asked: UInt64) {
    guard let readers else { return watcher.end() }
    let isMember = watcher.identity.user.map(readers.members.contains) ?? false
    guard readers.isPublic || isMember else { return watcher.end() }
    watcher.judge(seesInsights: isMember, asked: asked)
  }

  /// The users who may see a garden.
  private struct Readers {
    let isPublic: Bool
    /// Its owner, and those of its members who watch.
    let members: Set<Identifier>
  }

  private static let readers = Statement(
    "gardens.readers",
    """
    SELECT id, public, owner_id || ARRAY(
      SELECT user_id FROM garden_members m WHERE m.garden_id = gardens.id AND m.user_id = ANY ($2))
    FROM gardens WHERE id = ANY ($1)
    """)
}
