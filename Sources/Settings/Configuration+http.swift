extension Configuration {
  /// The bounds of HTTP that an operator may move.
  package struct HTTP: Sendable {
    package internal(set) var headBytes = 0
    package internal(set) var targetBytes = 0
    package internal(set) var headerFields = 0
    package internal(set) var bodyBytes = 0
    package internal(set) var importBytes = 0
    package internal(set) var headSeconds = 0
    package internal(set) var bodyGraceSeconds = 0
    package internal(set) var bodyBytesPerSecond = 0
    package internal(set) var idleSeconds = 0
    package internal(set) var connections = 0
    package internal(set) var memoryBytes = 0

    static let settings = [
      Setting(
        "HTTP_HEAD_BYTES", \.http.headBytes, .bytes(1_024...1 << 20), default: .text("16KiB"),
        "The longest request line and header section (431)."),
      Setting(
        "HTTP_TARGET_BYTES", \.http.targetBytes, .bytes(256...1 << 20), default: .text("8KiB"),
        "The longest request target (414)."),
      Setting(
        "HTTP_HEADER_FIELDS", \.http.headerFields, .integer(10...1_000), default: .text("100"),
        "The most header fields (431)."),
      Setting(
        "HTTP_BODY_BYTES", \.http.bodyBytes, .bytes(1_024...1 << 30), default: .text("1MiB"), "The longest body (413)."),
      Setting(
        "HTTP_IMPORT_BYTES", \.http.importBytes, .bytes(1_024...1 << 40), default: .text("16GiB"),
        "The longest body of an import, which is streamed (413)."),
      Setting(
        "HTTP_HEAD_SECONDS", \.http.headSeconds, .integer(1...600), default: .text("10"),
        "How long a request's head may take (408)."),
      Setting(
        "HTTP_BODY_GRACE_SECONDS", \.http.bodyGraceSeconds, .integer(1...600), default: .text("15"),
        """
        How long a body may take before its rate counts, and the longest silence in it (408). If all places are \
        taken, an export or import slower than 64 KiB/s for as long loses its place to another (503).
        """),
      Setting(
        "HTTP_BODY_BYTES_PER_SECOND", \.http.bodyBytesPerSecond, .bytes(1...1 << 30), default: .text("1KiB"),
        "The lowest rate of a body after that grace (408)."),
      Setting(
        "HTTP_IDLE_SECONDS", \.http.idleSeconds, .integer(1...3_600), default: .text("75"),
        "How long a connection without a request stays open."),
      Setting(
        "HTTP_CONNECTIONS", \.http.connections, .integer(1...1_000_000), default: .text("10000"),
        "The most open connections, unless the limit on file descriptors says less (503)."),
      Setting(
        "HTTP_MEMORY", \.http.memoryBytes, .bytes(leastMemoryBytes...1 << 40), default: quarterOfMemory,
        "The memory for bodies and waiting answers of all connections together, half of it for unknown callers (503)."),
    ]

    private static let leastMemoryBytes = 16 << 20

    private static let quarterOfMemory = Setting.Default(
      description: "a quarter of the control group's memory, or of the machine's"
    ) { _, machine in
      String(max(leastMemoryBytes, Int(clamping: (machine.memoryLimitBytes ?? machine.memoryBytes) / 4)))
    }
  }
}
