extension Configuration {
  /// The name and version of this server.
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
}
