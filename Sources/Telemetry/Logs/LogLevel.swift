/// How much a log line matters, from the least.
package enum LogLevel: UInt8, Sendable, Comparable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical

  /// The name as written in lines and in LOG_LEVEL.
  package var name: StaticString {
    switch self {
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info"
    case .notice: "notice"
    case .warning: "warning"
    case .error: "error"
    case .critical: "critical"
    }
  }

  /// Reads a level's name in lower case; `warn` and `fatal` are understood too; nil for other text.
  package init?(name: String) {
    switch name {
    case "warn": self = .warning
    case "fatal": self = .critical
    default:
      guard let level = Self.allCases.first(where: { "\($0.name)" == name }) else { return nil }
      self = level
    }
  }

  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

  /// The ANSI sequence that colours the name on a terminal.
  var colour: StaticString {
    switch self {
    case .trace, .debug: "\u{1B}[90m"
    case .info: "\u{1B}[32m"
    case .notice: "\u{1B}[36m"
    case .warning: "\u{1B}[33m"
    case .error, .critical: "\u{1B}[31m"
    }
  }
}
