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

  /// The lines of an export that are a user's, in an order in which nothing is named before its own line. Readings are
  /// raw from `rawFrom` on.
  func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart]

  /// Deletes what it holds of a user, whose row is locked and goes last; gives what is to be told after the COMMIT.
  ///
  /// Throws a problem when the user cannot go yet.
  func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit

  /// Ends what clients hold open without end, once nothing new is served.
  func close()

  /// Writes what it has gathered in memory, once the last request is answered and before the stores are closed: what
  /// one statement can.
  func finish() async
}

/// What is done once a transaction is committed, such as telling caches.
package typealias AfterCommit = () async -> Void
