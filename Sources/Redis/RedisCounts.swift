/// What a client has done since it was made.
package struct RedisCounts: Equatable, Sendable {
  /// Commands that were sent, whatever became of them.
  package var commands: UInt64 = 0
  /// Commands that ended in an error of any kind.
  package var failures: UInt64 = 0
  /// Commands that were not answered within the deadline.
  package var timeouts: UInt64 = 0
  /// Commands refused because too much was in flight.
  package var overflows: UInt64 = 0
  /// Commands refused because there was no connection.
  package var refusals: UInt64 = 0
  /// How many times the client has connected.
  package var connections: UInt64 = 0
}
