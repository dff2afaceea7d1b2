import Agronomy
import Postgres
import Values

/// An insight that is not stored yet.
struct InsightDraft {
  /// How many days an insight is kept that a user asked for. One that the server told by itself is kept for ever: they
  /// are few.
  static let askedDays: Int64 = 365

  let type: InsightType
  let garden: Identifier
  let finding: Finding
  let author: InsightProvider
  /// What the finding says, in its author's words.
  let text: String

  /// Stores the insight; `isTold` says whether the server tells it by itself. Nil when its garden is gone.
  func store(
    _ id: Identifier, at now: Timestamp, isTold: Bool, _ transaction: Transaction
  ) async throws -> Insight? {
    let rows = try await transaction.query(
      Self.insert, id, garden, type.rawValue, author.rawValue, finding.severity.rawValue, finding.title, text,
      PostgresJSON(finding.evidence), now, isTold, isTold ? nil : now.advanced(byDays: Self.askedDays))
    return try rows.first.map { try Insight($0) }
  }

  private static let insert = Statement(
    "insights.insert",
    """
    INSERT INTO insights (id, garden_id, type, provider, severity, title, text, evidence, created_at, told, expires_at)
    SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM gardens WHERE id = $2 FOR KEY SHARE
    RETURNING \(Insight.columns)
    """)
}
