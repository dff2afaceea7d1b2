/// Where Redis is and every bound of a connection to it.
package struct RedisConfiguration: Sendable {
  package var address: RedisAddress
  /// Whom TLS believes; nil for the machine's authorities.
  package var trust: TLSTrust?
  /// How long a command may wait for its answer before the connection counts as dead.
  package var commandDeadlineMilliseconds: UInt64 = 500
  /// How long connecting, signing in and the first PING may take together.
  package var connectDeadlineMilliseconds: UInt64 = 500
  /// The wait before the first new attempt after a loss; each further failure doubles it.
  package var shortestBackoffMilliseconds: UInt64 = 50
  /// The longest wait between attempts. With the connect deadline it stays under the second in which service heals.
  package var longestBackoffMilliseconds: UInt64 = 400
  /// A key that is set whenever a connection is made, for a second, to see whether Redis takes writes; nil where only
  /// reading matters.
  package var trialKey: String?
  /// The most commands of one client waiting for their answers; one more is refused as `.overloaded`.
  package var maximumInFlight = 16_384
  /// The most bytes of arguments of those commands.
  package var maximumInFlightBytes = 64 * 1024 * 1024
  /// The most channels of one subscriber.
  package var maximumChannels = 10_000
  /// How often a subscriber asks whether its connection still lives.
  package var probeIntervalMilliseconds: UInt64 = 400

  package init(address: RedisAddress) { self.address = address }
}
