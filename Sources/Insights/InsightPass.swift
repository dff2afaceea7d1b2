import Agronomy
import Gardens
import Notifications
import Postgres
import Settings
import Values
import Web

/// Applies the rules to every garden with new readings, and to those where a device has just fallen silent, so that
/// growers are told of frost without asking.
///
/// Each finding that is news is stored once; see `GardenLook`.
final class InsightPass {
  /// The most gardens that one search finds.
  static let gardensPerSearch = 20
  /// The most gardens of one pass; the next pass goes on from there.
  static let gardensPerPass = 5_000
  /// How long each statement may take, in milliseconds.
  static let timeoutMilliseconds = 30_000
  /// How late the database may learn that a device was heard of, in milliseconds: `LastSeen` gathers for a while, and
  /// another replica's clock may be behind.
  static let latestSightMilliseconds: Int64 = 60_000

  // Invariant 1: the loop's context outlives the pass.
  private unowned(unsafe) let context: LoopContext
  private let maker: InsightMaker
  private let outbox: Outbox
  /// Devices heard of since then have new readings; about the start of the previous pass.
  private lazy var since = context.now.advanced(
    byMilliseconds: -max(Int64(context.configuration.insights.intervalSeconds) * 1_000, Timestamp.millisecondsPerHour))
  private var passBegan: Timestamp?
  /// Gardens that were found and are still to be looked at, the next one last.
  private var found: [ObservedGarden] = []
  /// The garden behind which the search goes on; nil at either end of a pass.
  private var searchedUpTo: Identifier?
  private var gardensOfPass = 0
  /// The garden of the present run, until that is committed or has failed.
  private var current: ObservedGarden?
  /// The garden that is looked at once more, because the database was lost during the look before.
  private var again: Identifier?
  /// The insights that the present run has stored, announced once they are committed.
  private var made: [(draft: InsightDraft, insight: Insight)] = []

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
      run: { try await self.run($0) }, onCommit: { self.announce() }, onFailure: { self.recover(from: $0) })
  }

  /// Looks at one garden, in a transaction of its own: a failure says nothing of the next garden, and none is locked
  /// while others are looked at.
  private func run(_ transaction: Transaction) async throws -> Bool {
    made = []
    // A transaction is run again after a conflict, or when its statements were stale: for the same garden.
    if current == nil {
      if found.isEmpty { try await search(transaction) }
      current = found.popLast()
      gardensOfPass += 1
    }
    if let current { try await look(at: current, transaction) }
    return advance()
  }

  /// Ends the pass where nothing is left of it. Returns whether the next run follows at once.
  private func advance() -> Bool {
    if found.isEmpty, searchedUpTo == nil { endPass() }
    if passBegan != nil, gardensOfPass < Self.gardensPerPass { return true }
    gardensOfPass = 0
    return false
  }

  private func endPass() {
    if let passBegan { since = passBegan.advanced(byMilliseconds: -Self.latestSightMilliseconds) }
    (passBegan, again) = (nil, nil)
  }

  /// Leaves out a garden that cannot be looked at, so that it never holds up the others. While the database is away the
  /// pass waits, and the garden is tried once more: only once, since looking at it may be what breaks the connection.
  /// Returns whether the pass goes on at once.
  private func recover(from error: any Error) -> Bool {
    guard let garden = current else { return false }
    current = nil
    let isAway = (error as? PostgresError).map { $0.kind == .unavailable || $0.kind == .overloaded } ?? false
    if isAway, garden.id != again {
      again = garden.id
      found.append(garden)
      return false
    }
    context.logger.log(.warning, "Cannot make a garden's insights") { $0.field("garden", garden.id.description) }
    return advance()
  }

  private func search(_ transaction: Transaction) async throws {
    let began = passBegan ?? context.now
    let rows = try await transaction.query(
      Self.active, searchedUpTo ?? Identifier(high: 0, low: 0), since, began, Self.gardensPerSearch)
    found = try rows.reversed().map { row in
      var columns = row.columns
      return try ObservedGarden(&columns)
    }
    passBegan = began
    searchedUpTo = found.count < Self.gardensPerSearch ? nil : found.first?.id
  }

  private func look(at garden: ObservedGarden, _ transaction: Transaction) async throws {
    made = try await GardenLook(garden: garden, now: context.now, makeIdentifier: context.makeIdentifier)
      .insights(transaction)
    for (_, insight) in made {
      try await outbox.put(insight.news(of: garden), for: .garden(garden.id), in: transaction)
    }
  }

  private func announce() {
    for (draft, insight) in made { maker.announce(draft, as: insight) }
    (made, current) = ([], nil)
  }

  private static let active = Statement(
    "insights.active",
    """
    SELECT \(ObservedGarden.columns(at: "$3")) FROM gardens
    WHERE id > $1 AND EXISTS (
      SELECT 1 FROM devices
      WHERE garden_id = gardens.id AND (last_seen_at >= $2 OR \(OnlineSpan.silence(at: "$3")) BETWEEN $2 AND $3))
    ORDER BY id LIMIT $4
    """)
}
