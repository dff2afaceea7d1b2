import Postgres
import Reactor
import Values
import Web

/// The news that waits to be delivered. It is written in the transaction of what happened: both are committed, or
/// neither.
package struct Outbox {
  /// The most news that waits for one channel; further news is dropped and counted.
  static let maximumWaiting = 1_000
  /// How many warnings more may wait: strangers cause news too, by their orders, and must not keep a warning out.
  static let maximumWarningsBeyond = 100

  let context: LoopContext

  package init(_ context: LoopContext) { self.context = context }

  /// Puts news into every channel of the audience that wants it.
  package func put(_ news: News, for audience: Audience, in transaction: Transaction) async throws {
    guard let event = news.event else { return }
    let rows = try await transaction.query(
      Self.channels(of: audience), audience.id, event.rawValue, news.severity.rawValue, Self.bound(of: news.severity))
    try await put(news, into: try rows.map(Target.init), in: transaction)
  }

  /// How much may wait for a channel that news of `severity` is still put into.
  static func bound(of severity: Severity) -> Int {
    severity == .warning ? maximumWaiting + maximumWarningsBeyond : maximumWaiting
  }

  /// A channel that news is put into.
  struct Target: RowDecodable {
    let id: Identifier
    let kind: String
    let hasRoom: Bool

    package init(_ columns: inout Columns) throws {
      id = try columns.next()
      kind = try columns.next()
      hasRoom = try columns.next()
    }

    init(_ channel: Channel) { (id, kind, hasRoom) = (channel.id, channel.kind.rawValue, true) }
  }

  /// Puts news into channels, and returns the new deliveries, by `Delivery.columns`.
  @discardableResult
  func put(_ news: News, into channels: [Target], in transaction: Transaction) async throws -> [Row] {
    for channel in channels where !channel.hasRoom {
      context.process.instruments.news.count(channel.kind, .dropped, shard: context.loop.index).increment()
    }
    let open = channels.filter(\.hasRoom).map(\.id)
    guard !open.isEmpty else { return [] }
    return Array(
      try await transaction.query(
        Self.insert, open.map { _ in context.makeIdentifier() }, open, news.event?.rawValue ?? Self.ofChannels,
        news.type, news.severity.rawValue, news.title, news.text, PostgresJSON(news.data), context.now,
        news.expiresAt))
  }

  /// The event of news of channels themselves, in the schema.
  static let ofChannels = "channel"

  // MARK: SQL

  /// The columns that `Target` reads; `maximum` names the parameter with the most that may wait.
  static func columns(maximum: String) -> String {
    """
    id, kind, (SELECT count(*) FROM (
      SELECT 1 FROM deliveries WHERE channel_id = channels.id AND status = 'pending' LIMIT \(maximum)
    ) AS waiting) < \(maximum)
    """
  }

  private static func channels(_ name: String, of owners: String) -> Statement {
    Statement(
      name,
      """
      SELECT \(columns(maximum: "$4")) FROM channels
      WHERE user_id IN (\(owners)) AND disabled_at IS NULL AND $2 = ANY (events)
        AND ($2 <> 'insight' OR array_position(\(severities), $3) >= array_position(\(severities), minimum_severity))
      ORDER BY id FOR KEY SHARE
      """)
  }

  private static let severities =
    "ARRAY[" + Severity.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ") + "]::text[]"

  private static let ofUser = channels("outbox.ofUser", of: "$1")
  private static let ofGarden = channels(
    "outbox.ofGarden",
    of: """
      SELECT owner_id FROM gardens WHERE id = $1
      UNION ALL SELECT user_id FROM garden_members WHERE garden_id = $1 AND user_id IS NOT NULL
      """)
  private static let ofBusiness = channels(
    "outbox.ofBusiness", of: "SELECT owner_id FROM businesses WHERE id = $1")

  private static func channels(of audience: Audience) -> Statement {
    switch audience {
    case .user: ofUser
    case .garden: ofGarden
    case .business: ofBusiness
    }
  }

  private static let insert = Statement(
    "outbox.insert",
    """
    INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at, expires_at)
    SELECT id, channel, $3, $4, $5, $6, $7, $8, $9, $10 FROM unnest($1::uuid[], $2::uuid[]) AS put (id, channel)
    RETURNING \(Delivery.columns)
    """)
}
