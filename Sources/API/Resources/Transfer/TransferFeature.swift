import Postgres
import Values

/// Taking all that one owns along: export and import, on one loop.
final class TransferFeature: Feature {
  let services: Services
  /// Where users own things, in the order of an export.
  let others: [any Feature]
  let transfers: Transfers

  init(_ services: Services, shares: ClientShares, others: [any Feature]) {
    self.services = services
    self.others = others
    transfers = Transfers(
      connections: services.configuration.pool.transactionConnections, shares: shares)
  }

  var endpoints: [Endpoint] {
    Export(services: services, features: others, transfers: transfers).endpoints
      + Import(services: services, transfers: transfers).endpoints
  }

  var duties: [Duty] { [] }
  var expiries: [Expiry] { [] }
  func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] { [] }
  func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit { {} }
  func close() {}
}
