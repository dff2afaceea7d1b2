extension Configuration {
  /// Event streams.
  package struct Events: Sendable {
    package internal(set) var heartbeatSeconds = 0
    package internal(set) var streams = 0
    package internal(set) var streamsPerClient = 0

    static let settings = [
      Setting(
        "EVENTS_HEARTBEAT_SECONDS", \.events.heartbeatSeconds, .integer(1...30), default: .text("15"),
        "How often an event stream sends a comment, and whether its client may still watch is checked."),
      Setting(
        "EVENTS_STREAMS", \.events.streams, .integer(1...100_000), default: .text("2000"),
        "The most event streams of one event loop (503)."),
      Setting(
        "EVENTS_STREAMS_PER_CLIENT", \.events.streamsPerClient, .integer(1...100_000), default: .text("100"),
        "The most event streams of one user, or of one address without login (429)."),
    ]
  }
}
