import Values

extension Configuration {
  /// What the health checks look at.
  package struct Health: Sendable {
    package internal(set) var externalURLs: [ServiceURL] = []
    package internal(set) var intervalMilliseconds = 0
    package internal(set) var timeoutMilliseconds = 0
    package internal(set) var diskPath = ""
    package internal(set) var diskFreeShare = 0.0
    package internal(set) var memoryUsedShare = 0.0

    static let settings = [
      Setting(
        "HEALTH_EXTERNAL_URLS", \.health.externalURLs, Form.url("http", "https").list(), default: .text(""),
        "URLs that must answer, separated by commas; one that does not degrades /health."),
      Setting(
        "HEALTH_INTERVAL_MILLISECONDS", \.health.intervalMilliseconds, .integer(100...60_000), default: .text("1000"),
        "How often the checks run."),
      Setting(
        "HEALTH_TIMEOUT_MILLISECONDS", \.health.timeoutMilliseconds, .integer(100...60_000), default: .text("1000"),
        "How long one check may take."),
      Setting(
        "HEALTH_DISK_PATH", \.health.diskPath, .text(1_024), default: .text("/"),
        "A path in the file system that is checked."),
      Setting(
        "HEALTH_DISK_FREE_SHARE", \.health.diskFreeShare, .share, default: .text("0.1"),
        "Free space below this share degrades /health."),
      Setting(
        "HEALTH_MEMORY_USED_SHARE", \.health.memoryUsedShare, .share, default: .text("0.9"),
        "Memory above this share of the control group's limit degrades /health."),
    ]
  }
}
