/// The mean of a bucket, in SQL.
///
/// Postgres fails with "underflow" (22003) at a quotient too near to 0 for a double, where arithmetic gives 0. What a
/// device sends may be that small, and so may what is left of large values that cancel each other out: such a sum
/// counts as 0.
package enum BucketMean {
  /// So far from the smallest double that dividing by any count, or by `dayScale`, does not underflow.
  private static let leastSum = "1e-200"
  /// The divisor of a day's sums while they are added up, since those of some old hours fit into no double together. A
  /// power of two, so that nothing is rounded.
  private static let dayScale = "2.0::float8 ^ 40"

  package static func of(sum: String = "sum", count: String = "count") -> String { quotient(of: sum, by: count) }

  /// The mean of a day as an aggregate of its hours.
  static let ofDay = """
    greatest(min(min), least(max(max), sum(\(quotient(of: "sum", by: dayScale))) / sum(count) * \(dayScale)))
    """

  private static func quotient(of sum: String, by divisor: String) -> String {
    "CASE WHEN abs(\(sum)) < \(leastSum) THEN 0 ELSE \(sum) / \(divisor) END"
  }
}
