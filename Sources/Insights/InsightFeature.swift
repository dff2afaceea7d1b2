import Gardens
import Postgres
import Values
import Web

/// Insights into gardens, on one loop.
package final class InsightFeature: Feature {
  /// The most questions of one user that providers answer at a time, in the whole process.
  package static let maximumQuestionsOfUser = 4

  let context: LoopContext
  let gardens: GardenFeature
  /// Shared with all loops: a provider that is down is down for all.
  let circuits: ModelCircuits
  /// Shared with all loops, too: the questions that providers are answering.
  let questions: ClientShares

  package init(_ context: LoopContext, gardens: GardenFeature, circuits: ModelCircuits, questions: ClientShares) {
    self.context = context
    self.gardens = gardens
    self.circuits = circuits
    self.questions = questions
  }

  var maker: InsightMaker {
    InsightMaker(context: context, models: models, questions: questions, publisher: gardens.publisher)
  }
  var models: LanguageModels { LanguageModels(context: context, circuits: circuits) }

  package var endpoints: [Endpoint] { InsightRoutes(context: context, feature: self).endpoints }

  package var duties: [Duty] { InsightPass(context, maker).duty.map { [$0] } ?? [] }

  package var expiries: [Expiry] { [Self.expiry] }

  static let expiry = Expiry("expiry.insights", from: "insights", where: "expires_at < now()", orderBy: "expires_at")

  package func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] {
    [
      ExportPart(
        kind: .insight,
        sql: """
          SELECT \(unescaped: Insight.columns) FROM insights
          WHERE garden_id IN (SELECT id FROM gardens WHERE owner_id = \(user)) ORDER BY id
          """
      ) { row, json in try Insight(row).write(&json) }
    ]
  }

  /// Insights are deleted with their gardens.
  package func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit { {} }

  package func close() {}
  package func finish() async {}
}
