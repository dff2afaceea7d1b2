import Telemetry

extension Configuration {
  /// Who this server is.
  package struct Service: Sendable {
    package internal(set) var name = ""
    package internal(set) var version = ""
    package internal(set) var revision = ""

    static let settings = [
      Setting(
        "ENVIRONMENT", \.deployment, .name, default: .text("development"), alias: "NODE_ENV",
        "development, test, staging or production; the last two refuse weak secrets."),
      Setting("SERVICE_NAME", \.service.name, .text(120), default: .text("terroir"), "The name in logs and traces."),
      Setting(
        "SERVICE_VERSION", \.service.version, .text(120),
        default: .init(description: "the build's") { _, _ in Version.number },
        "The version in logs, traces, metrics and /version."),
      Setting(
        "REVISION", \.service.revision, .text(120),
        default: .init(description: "the build's, or `unknown`") { _, _ in Version.revision },
        alias: "SOURCE_REVISION",
        "The commit that the build was made from."),
    ]
  }

  /// What is logged, and how.
  package struct Log: Sendable {
    package internal(set) var level = LogLevel.info
    package internal(set) var format = LogFormat.json

    static let settings = [
      Setting(
        "LOG_LEVEL", \.log.level,
        Form(
          "one of \(LogLevel.allCases.map { "\($0.name)" }.joined(separator: ", "))", parse: { LogLevel(name: $0) },
          show: { "\($0.name)" }), default: .text("info"), "Lines below this level are not written."),
      Setting(
        "LOG_FORMAT", \.log.format, .name,
        default: .init(description: "`text` on a terminal, else `json`") { _, machine in
          machine.isTerminal ? "text" : "json"
        }, "json: an object a line; text: coloured text for people."),
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
