import Postgres
import Values

/// Has the rules look at every garden with new readings, and at those where a device has just fallen silent, so that
/// nobody has to ask whether there will be frost.
///
/// What is worth knowing is stored, once: what the last day's newest insight of the type says already is not said
/// again, and that all is well only after it was not.
final class InsightPass {
  /// Gardens of one run, which is one transaction.
  static let gardensPerRun = 20
  /// Gardens of one pass; the next pass goes on from there.
  static let gardensPerPass = 5_000
  /// How long each statement may take, in milliseconds.
  static let timeoutMilliseconds = 30_000
  static let types: [InsightType] = [.watering, .frost, .anomaly]
  /// How long an insight is not repeated.
  static let quietHours = 24.0

  private unowned(unsafe) let services: Services
  private let maker: InsightMaker
  /// Readings that came since then are new: the start of the pass before.
  private var since: Timestamp
  private var passBegan: Timestamp?
  private var lastGarden = Identifier(high: 0, low: 0)
  private var gardens = 0
  /// What the present run has stored, told of once it is committed.
  private var made: [(type: InsightType, insight: Insight)] = []

  init(_ services: Services, _ maker: InsightMaker) {
    self.services = services
    self.maker = maker
    let interval = Int64(services.configuration.insights.intervalSeconds)
    since = services.now.advanced(byMilliseconds: -max(interval * 1_000, Timestamp.millisecondsPerHour))
  }

  /// Nil when passes are turned off.
  var duty: Duty? {
    let interval = services.configuration.insights.intervalSeconds
    guard interval > 0 else { return nil }
    return Duty(
      name: "insights", intervalSeconds: UInt64(interval), timeoutMilliseconds: Self.timeoutMilliseconds,
      run: { try await self.run($0) }, committed: { self.announce() })
  }

  private func run(_ transaction: Transaction) async throws -> Bool {
    made = []
    let began = passBegan ?? services.now
    passBegan = began
    let silence = AnomalyRule.silentHours
    let rows = try await transaction.query(
      Self.active, lastGarden, since, since.advanced(byHours: -silence), began.advanced(byHours: -silence),
      Self.gardensPerRun)
    let observed = try rows.map { row in
      let (id, name, longitude) = try row.decode((Identifier.self, String.self, Double?.self))
      return ObservedGarden(id: id, name: name, longitude: longitude)
    }
    // Before the work: a garden that cannot be judged must not hold up the others for ever.
    let isLast = observed.count < Self.gardensPerRun
    lastGarden = isLast ? Identifier(high: 0, low: 0) : observed.last!.id
    gardens += observed.count
    for garden in observed { try await look(at: garden, transaction) }
    if isLast { (since, passBegan) = (began, nil) }
    let isPause = isLast || gardens >= Self.gardensPerPass
    if isPause { gardens = 0 }
    return !isPause
  }

  private func look(at garden: ObservedGarden, _ transaction: Transaction) async throws {
    for type in Self.types {
      let observations = try await Observations(for: type, of: garden, at: services.now, transaction)
      guard let finding = type.finding(observations), try await isNews(type, finding, garden, transaction) else {
        continue
      }
      let rows = try await transaction.query(
        InsightMaker.insert, services.makeIdentifier(), garden.id, type.rawValue, InsightProvider.rules.rawValue,
        finding.severity.rawValue, finding.title, finding.text, Postgres.JSONText(finding.evidence), services.now)
      made.append((type, try Insight(rows[0])))
    }
  }

  private func isNews(
    _ type: InsightType, _ finding: Finding, _ garden: ObservedGarden, _ transaction: Transaction
  ) async throws -> Bool {
    let rows = try await transaction.query(
      Self.newest, garden.id, type.rawValue, services.now.advanced(byHours: -Self.quietHours))
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

  // Locked against their end; what is about to be deleted is left out.
  private static let active = Statement(
    "insights.active",
    """
    SELECT id, name, longitude FROM gardens
    WHERE id > $1 AND EXISTS (
      SELECT 1 FROM devices
      WHERE garden_id = gardens.id
        AND (last_seen_at >= $2 OR last_seen_at >= $3 AND last_seen_at < $4))
    ORDER BY id LIMIT $5 FOR KEY SHARE SKIP LOCKED
    """)
  private static let newest = Statement(
    "insights.newest",
    """
    SELECT severity, title FROM insights WHERE garden_id = $1 AND type = $2 AND created_at >= $3
    ORDER BY id DESC LIMIT 1
    """)
}
