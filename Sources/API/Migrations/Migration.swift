/// One step of the database schema, embedded in the binary and never changed once it is released.
///
/// A later release adds steps; each keeps the previous release working while both run (first widen, then narrow).
struct Migration: Sendable {
  /// Its place in the order, from 1 without gaps.
  let number: Int32
  /// A word for people.
  let name: String
  /// Statements, run in one transaction.
  let sql: String

  /// All steps in their order.
  static let all: [Migration] = [
    .accounts, .gardens, .readings, .commerce, .insights, .readingsUpkeep, .stockTaken, .rollupAdditions,
    .rollupStatements, .commitMark, .refreshAgain, .sealedAnswers, .silences, .partitionFunctions, .upkeep,
  ]
}
