import Values

/// Everything that is wrong with the environment, each fault a sentence. None of them shows a secret.
package struct ConfigurationFaults: Error, CustomStringConvertible {
  package let faults: [String]

  package var description: String { faults.joined(separator: "\n") }
}

extension Configuration {
  /// Reads all settings and checks them against each other; throws every fault at once.
  package static func load(_ environment: RawEnvironment) throws(ConfigurationFaults) -> Configuration {
    var loader = ConfigurationLoader(environment)
    let configuration = loader.load()
    guard loader.faults.isEmpty else { throw ConfigurationFaults(faults: loader.faults) }
    return configuration
  }
}

/// Applies the table of settings to an environment and gathers the faults.
struct ConfigurationLoader {
  private(set) var faults: [String] = []
  /// Settings that have a fault of their own, so that no further fault is reported of them.
  private var faulty: Set<String> = []
  private let environment: RawEnvironment
  private var configuration: Configuration

  init(_ environment: RawEnvironment) {
    self.environment = environment
    configuration = Configuration(machine: environment.machine)
  }

  mutating func load() -> Configuration {
    // ENVIRONMENT stands first in the table: the defaults of the others depend on it.
    for setting in Configuration.settings { apply(setting) }
    mapJaeger()
    configureProviders()
    check()
    return configuration
  }

  private mutating func apply(_ setting: Setting) {
    guard let given = read(setting) else {
      faulty.insert(setting.name)
      return
    }
    let text: String
    if let given {
      text = given.text
      configuration.sources[setting.name] = given.source
    } else if let fallback = setting.fallback.text(configuration.deployment, environment.machine) {
      text = fallback
    } else {
      let isDemanded = setting.fallback.text(.development, environment.machine) != nil
      if isDemanded {
        faulty.insert(setting.name)
        faults.append("\(setting.name) must be set when ENVIRONMENT is \(configuration.deployment)")
      }
      return
    }
    do {
      try setting.apply(text, &configuration)
    } catch {
      faulty.insert(setting.name)
      let shown = setting.isSecret ? "the value" : "\"\(SecretText.masked(malformed: text))\""
      faults.append("\(given?.source ?? setting.name): \(shown) \(error.reason)")
    }
  }

  /// What was given for a setting: `.some(nil)` if nothing, nil if there is a fault.
  private mutating func read(_ setting: Setting) -> (text: String, source: String)?? {
    for name in [setting.name, setting.alias].compactMap({ $0 }) {
      let value = environment.variables[name].flatMap { $0.isEmpty ? nil : $0 }
      let path = environment.variables["\(name)_FILE"].flatMap { $0.isEmpty ? nil : $0 }
      switch (value, path) {
      case (_?, _?):
        faults.append("\(name) and \(name)_FILE are both set")
        return nil
      case (let value?, nil): return (value, name)
      case (nil, let path?): return readFile(path, "\(name)_FILE")
      case (nil, nil): continue
      }
    }
    return .some(nil)
  }

  private mutating func readFile(_ path: String, _ name: String) -> (text: String, source: String)?? {
    guard let bytes = environment.readFile(path) else {
      faults.append("\(name): \"\(path)\" cannot be read")
      return nil
    }
    guard let content = String(validating: bytes, as: UTF8.self) else {
      faults.append("\(name): \"\(path)\" is not text")
      return nil
    }
    let text = content.trimmingWhitespace
    guard !text.isEmpty else {
      faults.append("\(name): \"\(path)\" is empty")
      return nil
    }
    return (text, name)
  }

  // MARK: What follows from several settings

  private mutating func mapJaeger() {
    guard let jaeger = configuration.tracing.jaeger else { return }
    if configuration.tracing.collector != nil || configuration.tracing.tracesURL != nil {
      return configuration.warnings.append("JAEGER_ENDPOINT is ignored: the OpenTelemetry endpoint is set")
    }
    guard let url = ServiceURL(jaeger.contains("://") ? jaeger : "http://\(jaeger)") else {
      return faults.append(
        "JAEGER_ENDPOINT: \"\(SecretText.masked(malformed: jaeger))\" is not a URL such as http://jaeger:4318")
    }
    let collector = ServiceURL(scheme: "http", host: url.host, port: 4_318, path: "")
    configuration.tracing.collector = collector
    configuration.warnings.append(
      "JAEGER_ENDPOINT is read as OTEL_EXPORTER_OTLP_ENDPOINT=\(collector): Jaeger takes OTLP there, use that variable")
  }

  private mutating func configureProviders() {
    let sources = configuration.sources
    configuration.insights.openAI.isConfigured = sources["OPENAI_API_KEY"] != nil || sources["OPENAI_BASE_URL"] != nil
    configuration.insights.anthropic.isConfigured =
      sources["ANTHROPIC_API_KEY"] != nil || sources["ANTHROPIC_BASE_URL"] != nil
  }

  private mutating func check() {
    let listening = configuration.listening
    if faulty.isDisjoint(with: ["PORT", "METRICS_PORT"]), listening.port != 0, listening.port == listening.metricsPort {
      faults.append("PORT and METRICS_PORT are both \(listening.port)")
    }
    if faulty.isDisjoint(with: ["HTTP_TARGET_BYTES", "HTTP_HEAD_BYTES"]),
      configuration.http.targetBytes > configuration.http.headBytes
    {
      faults.append("HTTP_TARGET_BYTES is more than HTTP_HEAD_BYTES")
    }
    if configuration.notifications.mailServer != nil, configuration.notifications.sender == nil,
      faulty.isDisjoint(with: ["SMTP_FROM"])
    {
      faults.append("SMTP_FROM must be set when SMTP_URL is")
    }
    if let server = configuration.notifications.mailServer, server.scheme == "smtp", server.password != nil,
      configuration.notifications.startTLS == .none
    {
      faults.append("SMTP_STARTTLS is none, and SMTP_URL has a password")
    }
    checkSecrets()
  }

  private mutating func checkSecrets() {
    if configuration.sources["JWT_SECRET"] == nil {
      configuration.warnings.append("JWT_SECRET is not set: a random one is used, and tokens end with this process")
    }
    let accounts = configuration.accounts
    for (name, secret) in [("JWT_SECRET", accounts.jwtSecret), ("JWT_SECRET_PREVIOUS", accounts.previousJWTSecret)] {
      guard !faulty.contains(name) else { continue }
      if let weakness = secret.flatMap(SecretText.weakness) { weak("\(name) \(weakness)") }
    }
    if accounts.previousJWTSecret == accounts.jwtSecret { weak("JWT_SECRET_PREVIOUS is JWT_SECRET") }
    if let token = configuration.listening.metricsToken, token.utf8.count < 16 {
      weak("METRICS_TOKEN is shorter than 16 bytes")
    }
    for (name, url) in [
      ("DATABASE_URL", configuration.database.url), ("DATABASE_REPLICA_URL", configuration.database.replicaURL),
    ] {
      guard let url = url.flatMap({ ServiceURL($0) }), let password = url.password else { continue }
      if SecretText.isCommon(password: password, user: url.user) { weak("\(name) has a well-known password") }
    }
    let redis = configuration.redis.address
    if let password = redis.password, SecretText.isCommon(password: password, user: redis.user) {
      weak("REDIS_URL has a well-known password")
    }
  }

  /// A fault where weak secrets are refused, else a warning.
  private mutating func weak(_ text: String) {
    if configuration.deployment.refusesWeakSecrets {
      faults.append("\(text), which ENVIRONMENT \(configuration.deployment) refuses")
    } else {
      configuration.warnings.append(text)
    }
  }
}
