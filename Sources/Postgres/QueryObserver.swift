/// Observes every execution, for metrics and spans.
package protocol QueryObserver: AnyObject {
  /// Called once for each execution, on the loop, within the task that awaits it if there is one.
  ///
  /// `statement` is `Statement.id`, 0 for SQL that is not prepared; `name` is its name. The times are in nanoseconds of
  /// the monotonic clock, as fine as the loop's turns.
  func queryFinished(
    statement: Int, name: String, startedAt: UInt64, durationNanoseconds: UInt64, error: PostgresError?)
}
