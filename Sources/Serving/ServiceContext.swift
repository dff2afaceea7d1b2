import HTTP
import Insights
import Notifications
import Reactor
import Reference
import Transfer
import Web

/// What all loops of a service share beside what features need of the process.
struct ServiceContext: Sendable {
  let process: ProcessContext
  /// Renders the metrics, on the housekeeping loop.
  let exposition: LoopBound<Exposition>
  /// Tells the housekeeping loop that a pool has lost or regained its store.
  let poolChanged: @Sendable () -> Void
  let circuits = ModelCircuits.closed()
  let questions = ClientShares(maximum: InsightFeature.maximumQuestionsOfUser)
  let transfers = ClientShares(maximum: Transfers.maximumOfUser)
  let lookups = TargetLookups()
  let documentation = DocumentationShelf()
}
