import Postgres

/// Counts the live sessions: exactly while their table is small, then by a sample of it, so that each replica can count
/// often however many there are.
enum SessionCount {
  /// The most blocks of the table that are read, of some forty sessions each. The estimate is off by about the square
  /// root of their inverse: two in a hundred.
  static let maximumBlocks = 2_000

  /// Returns the number of live sessions; NaN when they could not be counted, since an old number is no answer.
  static func measure(_ database: Database, maximumBlocks: Int = maximumBlocks) async -> Double {
    guard let row = try? await database.query(live, maximumBlocks).first, let count = try? row.decode(Double.self, 0)
    else { return .nan }
    return count
  }

  /// How much of the table is read, in per cent.
  private static let percentage = """
    least(100, 100 * $1::integer * current_setting('block_size')::float8 / greatest(1, pg_relation_size('sessions')))
    """
  // Always the same blocks: they are in memory, and the estimate changes with the sessions alone.
  static let live = Statement(
    "sessions.count",
    """
    SELECT round(100 * count(*) / \(percentage)) FROM sessions TABLESAMPLE SYSTEM (\(percentage)) REPEATABLE (0)
    WHERE revoked_at IS NULL AND expires_at > now()
    """)
}
