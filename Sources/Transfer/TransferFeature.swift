import Postgres
import Values
import Web

/// Export and import of all that a user owns, on one loop.
package final class TransferFeature: Feature {
  let context: LoopContext
  /// The features in which users own things, in the order of an export.
  let others: [any Feature]
  let transfers: Transfers

  package init(_ context: LoopContext, shares: ClientShares, others: [any Feature]) {
    self.context = context
    self.others = others
    let configuration = context.configuration
    transfers = Transfers(
      loop: context.loop, connections: configuration.pool.transactionConnections,
      graceSeconds: configuration.http.bodyGraceSeconds, shares: shares)
  }

  package var endpoints: [Endpoint] {
    Export(context: context, features: others, transfers: transfers).endpoints
      + Import(context: context, transfers: transfers).endpoints
  }

  package var duties: [Duty] { [] }
  package var expiries: [Expiry] { [] }
  package func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] { [] }
  package func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit { {} }
  package func close() {}
  package func finish() async {}
}
