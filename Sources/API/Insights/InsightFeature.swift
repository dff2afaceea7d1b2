import Postgres
import Values

/// Insights into gardens, on one loop.
final class InsightFeature: Feature {
  let services: Services
  let gardens: GardenFeature
  /// Shared with all loops: a provider that is down is down for all.
  let circuits: ModelCircuits

  init(_ services: Services, gardens: GardenFeature, circuits: ModelCircuits) {
    self.services = services
    self.gardens = gardens
    self.circuits = circuits
  }

  var maker: InsightMaker { InsightMaker(services: services, models: models, publisher: gardens.publisher) }
  var models: LanguageModels { LanguageModels(services: services, circuits: circuits) }

  var endpoints: [Endpoint] { InsightRoutes(services: services, feature: self).endpoints }

  var duties: [Duty] { InsightPass(services, maker).duty.map { [$0] } ?? [] }

  var expiries: [Expiry] { [] }

  func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] {
    [
      ExportPart(
        kind: "insight",
        sql: """
          SELECT \(unescaped: Insight.columns) FROM insights
          WHERE garden_id IN (SELECT id FROM gardens WHERE owner_id = \(user)) ORDER BY id
          """
      ) { row, json in try Insight(row).write(&json) }
    ]
  }

  /// Insights go with their gardens.
  func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit { {} }

  func close() {}
}

/// Spare the providers of language models, and those who would wait for them.
typealias ModelCircuits = [InsightProvider: CircuitBreaker]

extension ModelCircuits {
  /// All closed.
  static func closed() -> ModelCircuits { [.openAI: CircuitBreaker(), .anthropic: CircuitBreaker()] }
}
