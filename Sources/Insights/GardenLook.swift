import Agronomy
import Postgres
import Values
import Web

/// Applies the rules to one garden, and stores what is news: what was told already is not told again.
struct GardenLook {
  static let types: [InsightType] = [.watering, .frost, .anomaly]

  let garden: ObservedGarden
  let now: Timestamp
  let makeIdentifier: () -> Identifier

  /// Returns the insights that it has stored, to be announced after the COMMIT.
  func insights(_ transaction: Transaction) async throws -> [(draft: InsightDraft, insight: Insight)] {
    var made: [(draft: InsightDraft, insight: Insight)] = []
    for type in Self.types where isDue(type) {
      let observations = try await Observations(for: type, of: garden, at: now, transaction)
      guard let finding = type.finding(observations), type.isNews(finding, observations) else { continue }
      let draft = InsightDraft(type: type, garden: garden.id, finding: finding, author: .rules, text: finding.text)
      guard let insight = try await draft.store(makeIdentifier(), at: now, isTold: true, transaction) else { continue }
      made.append((draft, insight))
    }
    return made
  }

  /// Whether a rule is applied now: frost is not looked for by day.
  private func isDue(_ type: InsightType) -> Bool {
    type != .frost || FrostRule.isDue(at: now, longitude: garden.longitude)
  }
}
