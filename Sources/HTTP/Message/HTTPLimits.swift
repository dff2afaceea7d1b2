import Reactor

/// Every bound of the HTTP server in one place; each may be configured. A zero is a bound like any other.
package struct HTTPLimits: Sendable {
  // MARK: Requests

  /// The longest request line and header section together, in bytes (431).
  package var headBytes = 16 * 1024
  /// The longest request target, in bytes (414).
  package var targetBytes = 8 * 1024
  /// The most header fields of a request (431).
  package var headerFields = 100
  /// The longest trailer section of a chunked body, in bytes (431).
  package var trailerBytes = 4 * 1024
  /// The longest line that announces a chunk: its size and extensions, in bytes (400).
  package var chunkLineBytes = 256
  /// The longest body that is read and dropped for a route that takes none, in bytes (413).
  package var unwantedBodyBytes = 64 * 1024
  /// The most bytes of a streamed body that wait for a handler before the connection is no longer read.
  package var streamedBodyBytes = 64 * 1024

  // MARK: Time

  /// The time from the first byte of a head to its last (408).
  package var headMilliseconds = 10_000
  /// The time a body has before its rate counts, and the longest silence within it (408).
  package var bodyGraceMilliseconds = 15_000
  /// The lowest rate of a body after its grace, in bytes per second (408).
  package var bodyBytesPerSecond = 1_024
  /// How long a connection may stay without a request before it is closed silently.
  package var idleMilliseconds = 75_000
  /// The time a client has to take an answer before its rate counts, and the longest standstill within it.
  package var writeGraceMilliseconds = 30_000
  /// The lowest rate at which a client takes an answer after the grace, in bytes per second.
  package var writeBytesPerSecond = 1_024
  /// While memory is short: the grace of bodies and answers alike, and the longest wait for the rest of a head.
  package var shortGraceMilliseconds = 1_000
  /// While memory is short: the lowest rate of bodies and answers alike, in bytes per second.
  package var shortBytesPerSecond = 64 * 1024
  /// How long a refused client's further bytes are read and dropped, so that the refusal reaches it.
  package var lingerMilliseconds = 5_000
  /// The most bytes that are read and dropped after a refusal.
  package var lingerBytes = 16 << 20
  /// How long a connection of a draining server stays open without a request.
  package var drainIdleMilliseconds = 1_000
  /// The interval at which the deadlines of all connections are checked.
  package var sweepMilliseconds = 500
  /// How long accepting pauses when the process has run out of descriptors.
  package var acceptPauseMilliseconds = 100

  // MARK: Connections

  /// The most open connections of one server, that is: of one loop and listener (503).
  package var connections = 10_000
  /// The most connections beyond `connections` that are open at a time to be answered with a 503; others are closed at
  /// once.
  package var refusedConnections = 64
  /// The most connections accepted in one turn of the loop.
  package var acceptsPerTurn = 64
  /// The most reads from one connection in one turn of the loop.
  package var readsPerTurn = 4
  /// The most bytes of answers that wait to be sent before a connection is no longer read and its stream suspended.
  package var outputBytes = 64 * 1024

  /// The most bytes of a connection's answers that the kernel holds unsent (TCP_NOTSENT_LOWAT).
  package var unsentBytes = 32 * 1024

  package init() {}

  /// Returns how many connections each of `loops` servers may have: its share of `wanted`, or fewer if the process may
  /// not have so many descriptors. `reserved` descriptors are left for everything else.
  package static func connections(wanted: Int, loops: Int, reserved: Int = 128) -> Int {
    return max(1, min(wanted, DescriptorLimit.current - reserved) / max(1, loops))
  }
}
