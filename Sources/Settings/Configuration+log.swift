import Telemetry

extension Configuration {
  /// What is logged, and how.
  package struct Log: Sendable {
    package internal(set) var level = LogLevel.info
    package internal(set) var format = LogFormat.json

    static let settings = [
      Setting(
        "LOG_LEVEL", \.log.level,
        Form(
          "one of \(LogLevel.allCases.map { "\($0.name)" }.joined(separator: ", "))", parse: { LogLevel(name: $0) },
          show: { "\($0.name)" }), default: .text("info"), "The lowest level of log lines that are written."),
      Setting(
        "LOG_FORMAT", \.log.format, .name,
        default: .init(description: "`text` on a terminal, else `json`") { _, machine in
          machine.isTerminal ? "text" : "json"
        }, "json: one object per line; text: coloured text for people."),
    ]
  }

  /// The form of log lines, as LOG_FORMAT names it.
  package enum LogFormat: String, Sendable, CaseIterable {
    case json, text
  }

  /// How log lines look, for `LogSink`.
  package var logStyle: LogStyle {
    LogStyle(
      format: log.format == .json ? .json : .text(coloured: machine.isTerminal), level: log.level,
      service: service.name, version: service.version, environment: deployment.rawValue)
  }
}
