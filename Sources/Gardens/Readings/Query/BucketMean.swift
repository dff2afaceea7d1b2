/// The mean of a bucket, in SQL.
///
/// Postgres fails at a quotient that is too near to 0 for a double ("underflow", 22003) where arithmetic gives 0. What
/// a device sends may be that small, and what is left of large values that cancel each other out: such a sum passes
/// for 0.
package enum BucketMean {
  /// As far from 0 as from the smallest double: any count, and `dayScale`, divide a sum from here on.
  private static let leastSum = "1e-200"
  /// By which the sums of a day are divided to be added up, since those of some old hours fit into no double together.
  /// A power of two, so that nothing is rounded.
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
