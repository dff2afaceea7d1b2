import Values

extension Configuration {
  /// Insights that the server makes by itself, and the models that may write them.
  package struct Insights: Sendable {
    /// How often gardens are looked at; 0 means never.
    package internal(set) var intervalSeconds = 0
    package internal(set) var timeoutSeconds = 0
    package internal(set) var openAI = Provider()
    package internal(set) var anthropic = Provider()

    static let settings = [
      Setting(
        "INSIGHTS_INTERVAL_SECONDS", \.insights.intervalSeconds, .integer(0...86_400), default: .text("900"),
        "How often the rules look at every garden; 0 turns it off."),
      Setting(
        "INSIGHTS_TIMEOUT_SECONDS", \.insights.timeoutSeconds, .integer(1...120), default: .text("10"),
        "How long a provider may take before the rules answer."),
      Setting(
        "OPENAI_BASE_URL", \.insights.openAI.baseURL, .url("https", "http"),
        default: .text("https://api.openai.com/v1"),
        "The provider's API, or any server with the same API."),
      Setting(
        "OPENAI_API_KEY", optional: \.insights.openAI.apiKey, .text(1_024), isSecret: true,
        "The key; without one the provider is not used, unless its base URL is set."),
      Setting(
        "OPENAI_MODEL", \.insights.openAI.model, .text(120), default: .text("gpt-4.1-mini"), "The model."),
      Setting(
        "ANTHROPIC_BASE_URL", \.insights.anthropic.baseURL, .url("https", "http"),
        default: .text("https://api.anthropic.com"),
        "The provider's API, or any server with the same API."),
      Setting(
        "ANTHROPIC_API_KEY", optional: \.insights.anthropic.apiKey, .text(1_024), isSecret: true,
        "The key; without one the provider is not used, unless its base URL is set."),
      Setting(
        "ANTHROPIC_MODEL", \.insights.anthropic.model, .text(120), default: .text("claude-haiku-4-5"), "The model."),
    ]
  }

  /// A service that runs a language model.
  package struct Provider: Sendable {
    package internal(set) var baseURL = ServiceURL(scheme: "https", host: "localhost", port: nil, path: "")
    /// Absent when the provider is not used, or needs none.
    package internal(set) var apiKey: String?
    package internal(set) var model = ""
    /// Whether there is a key, or a base URL of the operator's own.
    package internal(set) var isConfigured = false
  }
}
