import Postgres
import Values

/// A part of the API with paths, tables and background work of its own. Each loop has its own.
///
/// Nothing here has a default: whoever adds a feature is asked by the compiler for every place that it concerns.
package protocol Feature: EndpointGroup {
  /// What one replica at a time does for it in the background.
  var duties: [Duty] { get }

  /// What it keeps for a time only.
  var expiries: [Expiry] { get }

  /// The lines of a user's export, in an order in which every row has its line before any line that names it. Readings
  /// are raw from `rawFrom` on.
  func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart]

  /// Throws a problem when a user, whose row is locked, cannot go yet. Asked before anything is deleted: that may take
  /// minutes, and would be in vain.
  func requireErasable(_ user: Identifier, in transaction: Transaction) async throws

  /// Deletes what it holds of a user, whose row is locked and goes last; returns what to do after the COMMIT.
  ///
  /// Throws a problem when the user cannot go by then.
  func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit

  /// Ends answers that have no end of their own, such as event streams, once nothing new is served.
  func close()

  /// Writes what it has gathered in memory, by one statement at most. Called once the last request is answered, before
  /// the stores are closed.
  func finish() async
}

extension Feature {
  /// Nothing keeps a user, unless a feature says so.
  package func requireErasable(_ user: Identifier, in transaction: Transaction) async throws {}
}

/// What to do once a transaction is committed, such as telling caches.
package typealias AfterCommit = () async -> Void
