import Notifications
import Postgres
import Settings
import Values
import Web

/// Has the rules look at every garden with new readings, and at those where a device has just fallen silent, so that
/// nobody has to ask whether there will be frost.
///
/// What is worth knowing is stored, once: what the last day's newest insight of the type says already is not said
/// again, and that all is well only after it was not.
final class InsightPass {
  /// Gardens that are looked for at a time.
  static let gardensPerSearch = 20
  /// Gardens of one pass; the next pass goes on from there.
  static let gardensPerPass = 5_000
  /// How long each statement may take, in milliseconds.
  static let timeoutMilliseconds = 30_000
  /// How much later than it was heard of a device may be known to be, in milliseconds: `LastSeen` gathers for a while,
  /// and another replica's clock may be behind.
  static let latestSightMilliseconds: Int64 = 60_000
  static let types: [InsightType] = [.watering, .frost, .anomaly]
  /// How long an insight is not repeated.
  static let quietHours = 24.0

  // Invariant 1.
  private unowned(unsafe) let context: LoopContext
  private let maker: InsightMaker
  private let outbox: Outbox
  /// Devices that were heard of since then have new readings: about the start of the pass before.
  private lazy var since = context.now.advanced(
    byMilliseconds: -max(Int64(context.configuration.insights.intervalSeconds) * 1_000, Timestamp.millisecondsPerHour))
  private var passBegan: Timestamp?
  /// Gardens that were found and are still to be looked at, the next one last.
  private var found: [ObservedGarden] = []
  /// Where the search goes on; nil at the end of a pass.
  private var lastGarden: Identifier?
  private var gardens = 0
  /// The garden of the present run.
  private var current: ObservedGarden?
  /// What the present run has stored, told of once it is committed.
  private var made: [(type: InsightType, insight: Insight)] = []

  init(_ context: LoopContext, _ maker: InsightMaker) {
    self.context = context
    self.maker = maker
    outbox = Outbox(context)
  }

  /// Nil when passes are turned off.
  var duty: Duty? {
    let interval = context.configuration.insights.intervalSeconds
    guard interval > 0 else { return nil }
    return Duty(
      name: "insights", intervalSeconds: UInt64(interval), timeoutMilliseconds: Self.timeoutMilliseconds,
      run: { try await self.run($0) }, committed: { self.announce() }, failed: { self.goesOn(after: $0) })
  }

  /// Looks at one garden, in a transaction of its own: what is wrong with one says nothing of the next, and none is
  /// held for longer than itself.
  private func run(_ transaction: Transaction) async throws -> Bool {
    (made, current) = ([], nil)
    if found.isEmpty { try await search(transaction) }
    // Taken off before the work: a garden that cannot be judged must not hold up the others for ever.
    current = found.popLast()
    if let current {
      gardens += 1
      try await look(at: current, transaction)
    }
    return hasMore()
  }

  /// Whether the pass goes on at once; otherwise the next run is a pass later.
  private func hasMore() -> Bool {
    if found.isEmpty, lastGarden == nil { endPass() }
    if passBegan != nil, gardens < Self.gardensPerPass { return true }
    gardens = 0
    return false
  }

  private func endPass() {
    if let passBegan { since = passBegan.advanced(byMilliseconds: -Self.latestSightMilliseconds) }
    passBegan = nil
  }

  /// A garden that the database cannot answer for is left out; while the database is away, all wait.
  private func goesOn(after error: any Error) -> Bool {
    guard let current, let error = error as? PostgresError, error.kind == .server || error.kind == .timeout else {
      return false
    }
    context.logger.log(.warning, "A garden could not be looked at") { $0.field("garden", current.id.description) }
    return hasMore()
  }

  private func search(_ transaction: Transaction) async throws {
    let began = passBegan ?? context.now
    let silence = AnomalyRule.silentHours
    let rows = try await transaction.query(
      Self.active, lastGarden ?? Identifier(high: 0, low: 0), since, since.advanced(byHours: -silence),
      began.advanced(byHours: -silence), Self.gardensPerSearch)
    found = try rows.reversed().map { row in
      let (id, name, longitude) = try row.decode((Identifier.self, String.self, Double?.self))
      return ObservedGarden(id: id, name: name, longitude: longitude)
    }
    passBegan = began
    lastGarden = found.count < Self.gardensPerSearch ? nil : found.first?.id
  }

  private func look(at garden: ObservedGarden, _ transaction: Transaction) async throws {
    for type in Self.types {
      let observations = try await Observations(for: type, of: garden, at: context.now, transaction)
      guard let finding = type.finding(observations), try await isNews(type, finding, garden, transaction) else {
        continue
      }
      let rows = try await transaction.query(
        InsightMaker.insert, context.makeIdentifier(), garden.id, type.rawValue, InsightProvider.rules.rawValue,
        finding.severity.rawValue, finding.title, finding.text, Postgres.PostgresJSON(finding.evidence), context.now)
      // Without a row the garden was deleted meanwhile.
      guard let row = rows.first else { continue }
      let insight = try Insight(row)
      try await outbox.put(insight.news(finding.severity), for: .garden(garden.id), in: transaction)
      made.append((type, insight))
    }
  }

  private func isNews(
    _ type: InsightType, _ finding: Finding, _ garden: ObservedGarden, _ transaction: Transaction
  ) async throws -> Bool {
    let rows = try await transaction.query(
      Self.newest, garden.id, type.rawValue, context.now.advanced(byHours: -Self.quietHours))
    guard let row = rows.first else { return finding.severity > .info }
    let (severity, title) = try row.decode((String.self, String.self))
    return title != finding.title || severity != finding.severity.rawValue
  }

  private func announce() {
    for (type, insight) in made {
      maker.count(type, .rules, isSuccess: true)
      maker.announce(insight)
    }
    made = []
  }

  private static let active = Statement(
    "insights.active",
    """
    SELECT id, name, longitude FROM gardens
    WHERE id > $1 AND EXISTS (
      SELECT 1 FROM devices
      WHERE garden_id = gardens.id
        AND (last_seen_at >= $2 OR last_seen_at >= $3 AND last_seen_at < $4))
    ORDER BY id LIMIT $5
    """)
  private static let newest = Statement(
    "insights.newest",
    """
    SELECT severity, title FROM insights WHERE garden_id = $1 AND type = $2 AND created_at >= $3
    ORDER BY id DESC LIMIT 1
    """)
}
