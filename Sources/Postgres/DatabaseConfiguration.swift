/// How one loop uses the database, with every bound of this target.
package struct DatabaseConfiguration: Sendable {
  /// A libpq connection string or URI; several hosts and `target_session_attrs` go to libpq as they are.
  package var url: String
  /// The name that the server shows in pg_stat_activity.
  package var applicationName = "terroir"

  /// Pipelined connections for reads. Without any connection of a kind, whatever needs one fails as `.misuse`.
  package var readers = 2
  /// Pipelined connections for single writes: apart from reads, which would wait behind each commit's fsync.
  package var writers = 2
  /// Connections for transactions and streams, opened as they are needed.
  package var transactionConnections = 4
  /// The pause before each connection that is opened beyond the first reader and the first writer.
  package var openingPauseMilliseconds = 250

  /// The most commands in flight on one connection; one more is refused as `.overloaded`.
  package var queueLength = 1_024
  /// The most tasks that wait for a transaction connection; one more is refused as `.overloaded`.
  package var transactionQueueLength = 256
  /// How long a task waits for a transaction connection, not counting the time while none is ready.
  package var transactionWaitMilliseconds = 2_000

  /// How long a statement may take before the server cancels it.
  package var statementTimeoutMilliseconds = 3_000
  /// How long a write outside a transaction waits for a lock of another one; 0 is as long as a statement may take.
  package var lockTimeoutMilliseconds = 0
  /// How much longer the client waits before it takes the server for frozen.
  package var graceMilliseconds = 500
  /// How long the server lets a transaction be idle, which is also how long a stream's reader may stall.
  package var idleTransactionTimeoutMilliseconds = 30_000
  /// The most attempts at a transaction that loses against others (40001, 40P01).
  package var transactionAttempts = 4

  /// How long each step of an attempt to connect may take; name resolution is the first one.
  package var connectTimeoutMilliseconds = 3_000
  /// How long a connection has to answer a probe.
  package var probeTimeoutMilliseconds = 1_000
  /// The pause before the first new attempt to connect; it doubles with each failure.
  package var shortestPauseMilliseconds = 50
  /// The longest pause between attempts to connect.
  package var longestPauseMilliseconds = 1_000

  package init(url: String) { self.url = url }

  /// Throws what is wrong with a URL as far as can be told without connecting.
  package static func check(url: String) throws(ConnectionStringError) { _ = try ConnectionString(url) }
}
