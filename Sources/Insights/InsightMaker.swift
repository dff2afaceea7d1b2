import Agronomy
import Gardens
import Postgres
import Telemetry
import Values
import Web

/// Makes insights: the rules find, a language model may word what they found, and the result is stored.
struct InsightMaker {
  /// How long each statement that reads a garden may take, in milliseconds: one with many devices takes a while. It is
  /// not read on the shared connections, where others would wait behind it.
  static let readingTimeoutMilliseconds = 10_000

  let context: LoopContext
  let models: LanguageModels
  let questions: ClientShares
  let publisher: EventPublisher

  /// Makes an insight into a garden, in the provider's words or, should it fail, in the rules'. Throws 409 without
  /// data, 429 when the user has asked providers too often or too much at a time, and 503 when too many gardens are
  /// being read for `client` or in all.
  func draft(
    _ type: InsightType, of garden: ObservedGarden, by provider: InsightProvider, for user: Identifier,
    client: String, trace: TraceContext? = nil
  ) async throws -> InsightDraft {
    guard let finding = try await finding(type, of: garden, for: client) else { throw type.lacksData }
    var (author, text) = (InsightProvider.rules, finding.text)
    if provider != .rules {
      // A provider that is slow with many questions of one user would be taken for one that is away.
      guard let share = questions.take(client) else {
        throw Problem(
          .tooManyRequests, "You may have \(questions.maximum) insights worded by language models at a time.",
          retryAfterSeconds: 1)
      }
      defer { withExtendedLifetime(share) {} }
      // The operator pays for each answer.
      try await context.rates.models?.admit(.user(user))
      let words = await models.text(
        for: Prompt(type: type, garden: garden.name, finding: finding), by: provider, trace: trace)
      count(type, provider, isSuccess: words != nil)
      if let words { (author, text) = (provider, words) }
    }
    return InsightDraft(type: type, garden: garden.id, finding: finding, author: author, text: text)
  }

  /// Counts a draft that was stored, and sends it to everyone who follows the garden. Called after the COMMIT.
  func announce(_ draft: InsightDraft, as insight: Insight) {
    // What a provider has worded was counted when it answered.
    if draft.author == .rules { count(draft.type, .rules, isSuccess: true) }
    publisher.insight(insight.garden, insight.body)
  }

  /// Returns what the rule finds now; nil without data.
  private func finding(_ type: InsightType, of garden: ObservedGarden, for client: String) async throws -> Finding? {
    let observations = try await context.longReads.transaction(
      for: client, timeoutMilliseconds: Self.readingTimeoutMilliseconds
    ) { transaction in try await Observations(for: type, of: garden, at: context.now, transaction) }
    return type.finding(observations)
  }

  /// Counts an insight by its author, or a provider's failure.
  private func count(_ type: InsightType, _ provider: InsightProvider, isSuccess: Bool) {
    context.process.instruments.insights.child(
      shard: context.loop.index, type.rawValue, provider.rawValue, isSuccess ? "true" : "false"
    ).increment()
  }

  /// Stores a draft that a user asked for; throws 404 when its garden is gone.
  func store(_ draft: InsightDraft, in transaction: Transaction) async throws -> Insight {
    guard let insight = try await draft.store(context.makeIdentifier(), at: context.now, isTold: false, transaction)
    else { throw GardenAccess.notFound }
    return insight
  }
}

extension InsightType {
  /// What the rule for this type finds; nil without data.
  func finding(_ observations: Observations) -> Finding? {
    switch self {
    case .watering: WateringRule.finding(observations)
    case .frost: FrostRule.finding(observations)
    case .anomaly: AnomalyRule.finding(observations)
    case .summary: SummaryRule.finding(observations)
    }
  }

  /// Whether a finding is to be told without being asked for, given what was told before.
  func isNews(_ finding: Finding, _ observations: Observations) -> Bool {
    switch self {
    case .watering: WateringRule.isNews(finding, observations)
    case .frost: FrostRule.isNews(finding, observations)
    case .anomaly: AnomalyRule.isNews(finding, observations)
    case .summary: false
    }
  }

  /// The refusal without data, which says what the rule would have needed.
  var lacksData: Problem {
    let detail =
      switch self {
      case .watering: "There are no readings of soil_moisture from the last \(Int(WateringRule.maximumAgeHours)) hours."
      case .frost:
        "There are no readings of air_temperature from the last \(Int(FrostRule.maximumAgeHours)) hours or, in the morning, from the last night."
      case .anomaly: "There are no readings from the last \(Int(AnomalyRule.maximumAgeHours)) hours."
      case .summary: "There are no readings from the last seven days."
      }
    return Problem(.noData, detail)
  }
}
