/// Where Redis is and every bound of a connection to it.
package struct RedisConfiguration: Sendable {
  package var address: RedisAddress
  /// The authorities that TLS trusts; nil for the machine's.
  package var trust: TLSTrust?
  /// How long a command may wait for its answer before the connection counts as dead.
  package var commandDeadlineMilliseconds: UInt64 = 500
  /// How long connecting, signing in and the first PING may take together.
  package var connectDeadlineMilliseconds: UInt64 = 500
  /// The wait before the first new attempt after a loss; each further failure doubles it.
  package var shortestBackoffMilliseconds: UInt64 = 50
  /// The longest wait between attempts. With the connect deadline it stays under the second within which service
  /// recovers.
  package var longestBackoffMilliseconds: UInt64 = 400
  /// A key that is set for a second on each new connection, and a channel of that name, to see whether Redis takes
  /// writes, scripts and messages; nil where only reading matters.
  package var trialKey: String?
  /// The most commands in flight on one client; one more is refused as `.overloaded`.
  package var maximumInFlight = 16_384
  /// The most bytes of arguments of the commands in flight; beyond it commands are refused in the same way.
  package var maximumInFlightBytes = 64 * 1024 * 1024
  /// The most channels of one subscriber.
  package var maximumChannels = 10_000
  /// The interval at which a subscriber probes its connection, and the time-out of a probe.
  package var probeIntervalMilliseconds: UInt64 = 400

  package init(address: RedisAddress) { self.address = address }
}
