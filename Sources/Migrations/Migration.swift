/// One step of the database schema, embedded in the binary and never changed once it is released.
///
/// A later release adds steps; each keeps the previous release working while both run (first widen, then narrow).
package struct Migration: Sendable {
  /// Bounds how long a statement waits for a lock, since later requests for the lock queue behind it.
  static let lockTimeout = "SET LOCAL lock_timeout = '500ms';\n"
  /// How long a statement may take, in milliseconds: building an index on a large table takes its time.
  static let timeoutMilliseconds = 3_600_000

  /// Its place in the order, from 1 without gaps.
  let number: Int32
  /// Its name, for people.
  let name: String
  /// Statements, run in one transaction.
  var sql = ""
  /// Statements that no transaction may contain, such as `CREATE INDEX CONCURRENTLY`, run one by one before `sql`. When
  /// one fails, all are run again: an index that was left half made has to be dropped first.
  var apart: [String] = []

  /// Its number and name, for people.
  package var title: String { "\(number) (\(name))" }

  /// All its statements, for people and linters.
  package var script: String {
    let (statements, timeout) = (
      apart.map { "\($0);\n" }.joined(), "statement_timeout = \(Self.timeoutMilliseconds);\n"
    )
    let outside = statements.isEmpty ? "" : "SET \(timeout)\(statements)"
    let inside = sql.isEmpty ? "" : "BEGIN;\nSET LOCAL \(timeout)\(Self.lockTimeout)\(sql)\nCOMMIT;\n"
    return "-- Migration \(number): \(name)\n" + outside + inside
  }

  /// All steps in their order.
  package static let all: [Migration] = [
    .accounts, .gardens, .readings, .commerce, .insights, .readingsUpkeep, .stockTaken, .rollupAdditions,
    .rollupStatements, .commitMark, .refreshAgain, .sealedAnswers, .silences, .partitionFunctions, .upkeep,
    .tokens, .members, .shops, .places, .channels, .days, .daysBefore, .ordersByStatus, .sealedReadings,
    .ground, .sessionKeys, .statusSpans, .passwordResets, .confirmations,
    .silenceDue, .silenceDueIndex, .deviceZone, .daysTogether, .wordsTogether, .wordsRenewed, .historyParts,
    .insightsTold, .newsExpires, .refreshTokensUsed,
    .searchText, .wordsBySearchText, .timeZoneName, .measuredDays,
    .smallSums, .searchMarks, .wordsBySearchMarks, .placesAtZero, .placesAnew,
    .inviters, .invitersIndex,
    .insightsExpire, .insightsByType, .invitedAt,
  ]
}
