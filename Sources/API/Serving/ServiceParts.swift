import HTTP
import Reactor

/// What all loops of a service share beside what features need of the process.
struct ServiceParts: Sendable {
  let shared: Shared
  /// Renders the metrics, on the housekeeping loop.
  let exposition: LoopBound<Exposition>
  /// Tells the housekeeping loop that a pool has lost or regained its store.
  let poolChanged: @Sendable () -> Void
  let circuits = ModelCircuits.closed()
  let transfers = ClientShares(maximum: Transfers.maximumOfUser)
  let documentation = DocumentationShelf()
}
