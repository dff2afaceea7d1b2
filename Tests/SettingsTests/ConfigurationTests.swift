import HTTP
import Postgres
import Redis
import Telemetry
import Testing
import Values

@testable import Secrets
@testable import Settings

/// A machine with four processors and nothing else of note.
let testMachine = Machine(
  processors: 4, hostName: "box", randomSecret: "7c1f0a9be2d34856a1b0c9d8e7f60514233241506f7e8d9cab1b2c3d4e5f6071")

/// A secret that nothing speaks against.
let goodSecret = "q8Zr3vX1mB6tYw9eKc2LpA7sDf4GhJ0u"

/// What production needs at least.
private let serious = [
  "ENVIRONMENT": "production", "DATABASE_URL": "postgresql://terroir:kX82-pQ@db/terroir",
  "REDIS_URL": "redis://:zR71.wL@redis", "JWT_SECRET": goodSecret,
]

private func load(
  _ variables: [String: String], machine: Machine = testMachine, files: [String: String] = [:]
) throws -> Configuration {
  try Configuration.load(
    RawEnvironment(variables: variables, machine: machine, readFile: { files[$0].map { Array($0.utf8) } }))
}

private func faults(_ variables: [String: String], files: [String: String] = [:]) -> [String] {
  do {
    _ = try load(variables, files: files)
    return []
  } catch {
    return (error as? ConfigurationFaults)?.faults ?? ["\(error)"]
  }
}

@Test("an empty environment is a complete one for development")
func emptyEnvironment() throws {
  let configuration = try load([:])
  #expect(configuration.deployment == .development)
  #expect(configuration.service.name == "terroir")
  #expect(configuration.service.version == Version.number)
  #expect(configuration.log.level == .info)
  #expect(configuration.log.format == .json)
  #expect(configuration.listening.host == "0.0.0.0")
  #expect(configuration.listening.port == 3_000)
  #expect(configuration.listening.metricsPort == 9_464)
  #expect(configuration.listening.workers == 4)
  #expect(configuration.listening.drainSeconds == 0)
  #expect(configuration.database.url == "postgresql://terroir@127.0.0.1:5432/terroir")
  #expect(configuration.redis.caches)
  #expect(configuration.accounts.jwtSecret == testMachine.randomSecret)
  #expect(configuration.rates.anonymous == nil)
  #expect(configuration.http.headBytes == 16_384)
  #expect(configuration.http.importBytes == 16 << 30)
  #expect(configuration.tracing.exportURL == nil)
  #expect(!configuration.insights.openAI.isConfigured)
  #expect(configuration.warnings == ["JWT_SECRET is not set: a random one is used, and tokens end with this process"])
}

@Test("defaults follow the environment", arguments: Deployment.allCases)
func deploymentDefaults(deployment: Deployment) throws {
  var variables = serious
  variables["ENVIRONMENT"] = deployment.rawValue
  let configuration = try load(variables)
  let isSerious = deployment == .production || deployment == .staging
  #expect(configuration.deployment == deployment)
  #expect(configuration.rates.user == (isSerious ? RequestRate(count: 12_000, seconds: 60) : nil))
  #expect(configuration.listening.drainSeconds == (isSerious ? 5 : 0))
  #expect(configuration.tracing.sampledShare == (isSerious ? 0.1 : 1))
  #expect(configuration.warnings.isEmpty)
}

@Test("takes NODE_ENV where ENVIRONMENT is not set, and SOURCE_REVISION for REVISION")
func aliases() throws {
  #expect(try load(["NODE_ENV": "test", "SOURCE_REVISION": "abc"]).deployment == .test)
  #expect(try load(["NODE_ENV": "test", "SOURCE_REVISION": "abc"]).service.revision == "abc")
  #expect(try load(["NODE_ENV": "nonsense", "ENVIRONMENT": "test"]).deployment == .test)
}

@Test("bounds the memory of connections by a quarter of the group's, or of the machine's, or as it is told")
func connectionMemory() throws {
  var machine = testMachine
  machine.memoryBytes = 1 << 30
  #expect(try load([:], machine: machine).http.memoryBytes == 256 << 20)
  machine.memoryLimitBytes = 512 << 20
  #expect(try load([:], machine: machine).http.memoryBytes == 128 << 20)
  machine.memoryLimitBytes = 1 << 20
  #expect(try load([:], machine: machine).http.memoryBytes == 16 << 20)
  #expect(try load(["HTTP_MEMORY": "64MiB"], machine: machine).http.memoryBytes == 64 << 20)
}

@Test("an empty variable is one that is not set")
func emptyVariable() throws {
  let configuration = try load(["PORT": "", "OTEL_EXPORTER_OTLP_ENDPOINT": "", "JWT_SECRET_FILE": ""])
  #expect(configuration.listening.port == 3_000)
  #expect(configuration.tracing.exportURL == nil)
}

@Test("reads every setting from a file as well", arguments: ["DATABASE_URL", "PORT", "NODE_ENV", "OPENAI_API_KEY"])
func settingFromFile(name: String) throws {
  let values = [
    "DATABASE_URL": "postgresql://u@h/d", "PORT": "8080", "NODE_ENV": "test", "OPENAI_API_KEY": "sk-1",
  ]
  let configuration = try load(["\(name)_FILE": "/run/secrets/x"], files: ["/run/secrets/x": " \(values[name]!)\r\n"])
  switch name {
  case "DATABASE_URL": #expect(configuration.database.url == "postgresql://u@h/d")
  case "PORT": #expect(configuration.listening.port == 8_080)
  case "NODE_ENV": #expect(configuration.deployment == .test)
  default: #expect(configuration.insights.openAI.apiKey == "sk-1")
  }
}

@Test("says what is wrong with files")
func fileFaults() {
  #expect(faults(["PORT": "1", "PORT_FILE": "/f"]) == ["PORT and PORT_FILE are both set"])
  #expect(faults(["PORT_FILE": "/f"]) == ["PORT_FILE: \"/f\" cannot be read"])
  #expect(faults(["PORT_FILE": "/f"], files: ["/f": " \n"]) == ["PORT_FILE: \"/f\" is empty"])
  #expect(faults(["PORT_FILE": "/f"], files: ["/f": "x"]) == ["PORT_FILE: \"x\" is not a port of 0 to 65535"])
  #expect(
    faults(["JWT_SECRET_FILE": "/f"], files: ["/f": "a\u{7}b"]) == [
      "JWT_SECRET_FILE: the value is not printable text of 1 to 4096 bytes"
    ])
}

@Test("lists every fault at once, and shows no secret")
func allFaults() {
  let found = faults([
    "ENVIRONMENT": "production", "PORT": "70000", "WORKERS": "0", "LOG_LEVEL": "loud", "REDIS_URL": "http://:hunter2@h",
    "OPENAI_BASE_URL": "ftp://u:hunter2@h", "JWT_SECRET": "\u{1}hunter2", "CACHE": "maybe", "RATE_LIMIT_USER": "5",
  ])
  #expect(
    found == [
      "LOG_LEVEL: \"loud\" is not one of trace, debug, info, notice, warning, error, critical",
      "PORT: \"70000\" is not a port of 0 to 65535", "WORKERS: \"0\" is not a whole number of 1 to 256",
      "DATABASE_URL must be set when ENVIRONMENT is production",
      "REDIS_URL: the value has the scheme \"http\": redis://, rediss:// or unix:// is expected",
      "CACHE: \"maybe\" is not on or off", "JWT_SECRET: the value is not printable text of 1 to 4096 bytes",
      "RATE_LIMIT_USER: \"5\" is not count/seconds, such as 600/60, or off",
      "OPENAI_BASE_URL: \"ftp://u:***@h\" is not a URL such as https://host:port/path",
    ])
  #expect(!found.joined().contains("hunter2"))
}

@Test(
  "refuses malformed values",
  arguments: [
    ("PORT", "+80"), ("PORT", "-1"), ("PORT", "8o"), ("PORT", " 80"), ("METRICS_PORT", "65536"), ("WORKERS", "257"),
    ("HOST", "example.org"), ("HOST", "10.0.0.0/8"), ("HOST", "1.2.3"), ("CORS_ORIGINS", "https://h/"),
    ("CORS_ORIGINS", "h"), ("CORS_ORIGINS", "null"), ("PUBLIC_URL", "*"), ("PUBLIC_URL", "https://h/x"),
    ("TRUSTED_PROXIES", "10.0.0.0/33"),
    ("RATE_LIMIT_USER", "0/60"), ("RATE_LIMIT_USER", "60/0"), ("RATE_LIMIT_USER", "1/2/3"), ("RATE_LIMIT_USER", "on"),
    ("OTEL_TRACES_SAMPLER_ARG", "1.1"), ("OTEL_TRACES_SAMPLER_ARG", "-0.1"), ("OTEL_TRACES_SAMPLER_ARG", "nan"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), ("OTEL_EXPORTER_OTLP_HEADERS", "novalue"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "a=b%0d%0ac"), ("HTTP_BODY_BYTES", "1MB"), ("HTTP_BODY_BYTES", "9999999GiB"),
    ("HTTP_HEAD_BYTES", "1"), ("DATABASE_URL", "mysql://h/d"), ("DATABASE_URL", "host=db password=x"),
    ("HEALTH_EXTERNAL_URLS", "https://a,b"), ("ENVIRONMENT", "Production"), ("LOG_FORMAT", "xml"), ("CACHE", "2"),
    ("MIGRATE_ON_START", "perhaps"), ("HEALTH_DISK_FREE_SHARE", "10%"), ("SHUTDOWN_DRAIN_SECONDS", "5s"),
  ])
func malformed(name: String, value: String) {
  let found = faults([name: value])
  #expect(found.count == 1)
  #expect(found.first?.hasPrefix("\(name): ") == true)
}

@Test("reads lists, sizes, switches and rates")
func forms() throws {
  let configuration = try load([
    "TRUSTED_PROXIES": "10.0.0.0/8, ,fd00::/8,192.0.2.7", "CORS_ORIGINS": "https://a.example,http://localhost:5173",
    "HTTP_BODY_BYTES": "2MiB", "HTTP_HEAD_BYTES": "32768", "CACHE": "off", "MIGRATE_ON_START": "false",
    "RATE_LIMIT_DEVICE": "5/1", "RATE_LIMIT_USER": "off", "HOST": "::1", "LOG_LEVEL": "warn",
    "HEALTH_EXTERNAL_URLS": "https://a.example/x?y=1", "METRICS_PORT": "0", "WORKERS": "2",
    "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20x%3D,X-Team = farm",
  ])
  #expect(configuration.listening.trustedProxies.map(\.description) == ["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"])
  #expect(configuration.listening.corsOrigins == ["https://a.example", "http://localhost:5173"])
  #expect(configuration.http.bodyBytes == 2 << 20)
  #expect(configuration.http.headBytes == 32_768)
  #expect(!configuration.redis.caches)
  #expect(!configuration.database.migratesOnStart)
  #expect(configuration.rates.device == RequestRate(count: 5, seconds: 1))
  #expect(configuration.rates.user == nil)
  #expect(configuration.listening.host == "::1")
  #expect(configuration.listening.workers == 2)
  #expect(configuration.log.level == .warning)
  #expect(configuration.health.externalURLs == [ServiceURL("https://a.example/x?y=1")!])
  #expect(
    configuration.tracing.headers == [
      ExportHeader(name: "Authorization", value: "Basic x="), ExportHeader(name: "X-Team", value: "farm"),
    ])
}

@Test("production refuses what development only warns about")
func weakSecrets() throws {
  let weak: [(name: String, value: String, reason: String)] = [
    ("JWT_SECRET", "short", "JWT_SECRET is shorter than 32 bytes"),
    ("JWT_SECRET", String(repeating: "a", count: 64), "JWT_SECRET is not random enough"),
    ("JWT_SECRET", String(repeating: "q8Zr3vX1mB6tYw9e", count: 4), "JWT_SECRET is not random enough"),
    ("JWT_SECRET", "ChangeMe-" + goodSecret, "JWT_SECRET looks like a default"),
    ("JWT_SECRET_PREVIOUS", goodSecret, "JWT_SECRET_PREVIOUS is JWT_SECRET"),
    ("METRICS_TOKEN", "abc", "METRICS_TOKEN is shorter than 16 bytes"),
    ("DATABASE_URL", "postgresql://u:postgres@h/d", "DATABASE_URL has a password that everybody knows"),
    ("DATABASE_URL", "postgresql://u:u@h/d", "DATABASE_URL has a password that everybody knows"),
    ("REDIS_URL", "redis://:Password@h", "REDIS_URL has a password that everybody knows"),
  ]
  #expect(faults(serious) == [])
  for (name, value, reason) in weak {
    var variables = serious
    variables[name] = value
    #expect(faults(variables) == ["\(reason), which ENVIRONMENT production refuses"])
    variables["ENVIRONMENT"] = "development"
    #expect(try load(variables).warnings == [reason])
  }
  #expect(
    faults(["ENVIRONMENT": "production"]) == [
      "DATABASE_URL must be set when ENVIRONMENT is production", "REDIS_URL must be set when ENVIRONMENT is production",
      "JWT_SECRET must be set when ENVIRONMENT is production",
    ])
}

@Test("accepts the secrets that the usual tools make")
func goodSecrets() {
  for secret in [
    goodSecret, "5e884898da28047151d0e56f8dc6292773603d0d6aabbd2c5c3b4f9a1e7d8b60",
    "Zm9vYmFy+/8xQ2hhbGxlbmdlVG9rMTIzNDU2Nzg5MA==",
  ] {
    #expect(SecretText.weakness(secret) == nil)
  }
  var generator = SystemRandomNumberGenerator()
  for _ in 0..<1_000 {
    let hex = (0..<32).map { _ in String(UInt8.random(in: 0...15, using: &generator), radix: 16) }.joined()
    #expect(SecretText.weakness(hex) == nil)
  }
}

@Test("has no password sent to a mail server in the clear")
func plainMail() {
  let plain = ["SMTP_URL": "smtp://u:p@h", "SMTP_FROM": "a@example.org", "SMTP_STARTTLS": "none"]
  #expect(faults(plain) == ["SMTP_STARTTLS is none, and SMTP_URL has a password"])
  for (name, value) in [("SMTP_URL", "smtp://h"), ("SMTP_URL", "smtps://u:p@h"), ("SMTP_STARTTLS", "required")] {
    #expect(faults(plain.merging([name: value]) { $1 }) == [])
  }
}

@Test(
  "reads where Postgres is at once, not with the first connection", arguments: ["DATABASE_URL", "DATABASE_REPLICA_URL"])
func databaseURLs(name: String) {
  for (url, fault) in [
    ("postgres://u:hunter2%zz@h/d", "cannot be read"), ("postgres://u:hunter2@h/d?foo=bar", "cannot be read"),
    ("postgres://u:hunter2@h:99999/d", "a port that is none"), ("postgres://u:hunter2@h:0/d", "a port that is none"),
    ("postgres://u:hunter2@h/d?hostaddr=1.2.3.4,1.2.3.5", "different numbers"),
    ("postgres://u:hunter2@h/d?sslmode=banana", "a sslmode that is none of disable,"),
    ("postgres://u:hunter2@a,b/d?target_session_attrs=master", "a target_session_attrs that is none of any,"),
    ("postgres://u:hunter2@h/d?ssl_min_protocol_version=foo", "a ssl_min_protocol_version that is none of TLSv1,"),
    ("postgres://u:hunter2@h/d?keepalives=abc", "a keepalives that is no whole number"),
    ("postgres://u:hunter2@h/d?connect_timeout=1.5", "a connect_timeout that is no whole number"),
  ] {
    let found = faults([name: url])
    let text = found.first ?? ""
    #expect(found.count == 1 && text.hasPrefix("\(name): the value ") && text.contains(fault), "\(url): \(found)")
    #expect(!text.contains("hunter2"))
  }
}

@Test("refuses two servers on one port, and a target longer than its head")
func contradictions() {
  #expect(faults(["PORT": "9464"]) == ["PORT and METRICS_PORT are both 9464"])
  #expect(faults(["PORT": "0", "METRICS_PORT": "0"]) == [])
  #expect(faults(["HTTP_TARGET_BYTES": "64KiB"]) == ["HTTP_TARGET_BYTES is more than HTTP_HEAD_BYTES"])
}

@Test(
  "takes a Jaeger of old for a collector, with a warning",
  arguments: [
    ("http://jaeger:14268/api/traces", "http://jaeger:4318/v1/traces"), ("jaeger:6831", "http://jaeger:4318/v1/traces"),
    ("http://[::1]:14268", "http://[::1]:4318/v1/traces"), ("jaeger", "http://jaeger:4318/v1/traces"),
  ])
func jaeger(endpoint: String, expected: String) throws {
  let configuration = try load(["JAEGER_ENDPOINT": endpoint, "JWT_SECRET": goodSecret])
  #expect(configuration.tracing.exportURL?.description == expected)
  #expect(configuration.spanExporter?.url.description == expected)
  #expect(configuration.warnings.count == 1)
  #expect(configuration.warnings[0].hasPrefix("JAEGER_ENDPOINT is read as OTEL_EXPORTER_OTLP_ENDPOINT=http://"))
}

@Test("knows where spans go")
func exportURL() throws {
  func url(_ variables: [String: String]) throws -> String? { try load(variables).tracing.exportURL?.description }
  let base = "OTEL_EXPORTER_OTLP_ENDPOINT"
  #expect(try url([base: "http://c:4318"]) == "http://c:4318/v1/traces")
  #expect(try url([base: "https://c/otlp/"]) == "https://c/otlp/v1/traces")
  #expect(try url(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x", base: "http://d"]) == "http://c/x")
  #expect(try url([base: "http://c", "OTEL_SDK_DISABLED": "true"]) == nil)
  #expect(try url([base: "http://c", "JAEGER_ENDPOINT": "j:1"]) == "http://c/v1/traces")
  #expect(faults(["JAEGER_ENDPOINT": "http://:x"]).count == 1)
}

@Test("uses a provider that has a key or a base URL of the operator's")
func providers() throws {
  #expect(try load(["OPENAI_API_KEY": "k"]).insights.openAI.isConfigured)
  #expect(try load(["OPENAI_BASE_URL": "http://localhost:11434/v1"]).insights.openAI.isConfigured)
  #expect(try !load(["OPENAI_MODEL": "m"]).insights.openAI.isConfigured)
  #expect(try load(["ANTHROPIC_API_KEY_FILE": "/k"], files: ["/k": "k"]).insights.anthropic.isConfigured)
}

@Test("shows what is in effect, and no secret")
func shownConfiguration() throws {
  var variables = serious
  variables["DATABASE_URL"] = "postgresql://terroir:hunter2@a:1,b:2/terroir?sslmode=require&password=hunter2"
  variables["REDIS_URL"] = "redis://u:hunter2@[::1]/3"
  variables["OPENAI_API_KEY"] = "hunter2"
  variables["OTEL_EXPORTER_OTLP_HEADERS"] = "a=hunter2"
  variables["HEALTH_EXTERNAL_URLS"] = "https://u:hunter2@h/x?token=hunter2&a=b"
  variables["JWT_SECRET_PREVIOUS"] = "hunter2" + goodSecret
  variables["JAEGER_ENDPOINT"] = "http://u:hunter2@jaeger:14268/api/traces"
  let text = try load(variables).text
  let lines = text.split(separator: "\n").map(String.init)
  #expect(!text.contains("hunter2") && !text.contains(goodSecret))
  #expect(lines.count == Configuration.settings.count)
  for line in [
    "PORT=3000  # default", "ENVIRONMENT=production  # ENVIRONMENT", "JWT_SECRET=***  # JWT_SECRET",
    "DATABASE_URL=postgresql://terroir:***@a:1,b:2/terroir?sslmode=require&password=***  # DATABASE_URL",
    "REDIS_URL=redis://u:***@[::1]:6379/3  # REDIS_URL", "OPENAI_API_KEY=***  # OPENAI_API_KEY",
    "HEALTH_EXTERNAL_URLS=https://h/x?token=***&a=b  # HEALTH_EXTERNAL_URLS", "# METRICS_TOKEN is not set",
    "HTTP_IMPORT_BYTES=16GiB  # default", "CACHE=on  # default", "RATE_LIMIT_USER=12000/60  # default",
  ] { #expect(lines.contains(line), "\(line)") }
}

@Test("what is shown reads back as the same configuration")
func roundTrip() throws {
  let first = try load([:])
  var variables: [String: String] = [:]
  for setting in Configuration.settings where !setting.isSecret || setting.name.hasSuffix("_URL") {
    variables[setting.name] = setting.show(first)
  }
  let second = try load(variables)
  for setting in Configuration.settings { #expect(setting.show(first) == setting.show(second), "\(setting.name)") }
}

@Test("names are unlike, in capitals, and every setting says what it means")
func tableOfSettings() {
  let names = Configuration.settings.flatMap { [$0.name, $0.alias].compactMap { $0 } }
  #expect(Set(names).count == names.count)
  #expect(Configuration.settings[0].name == "ENVIRONMENT")
  for setting in Configuration.settings {
    #expect(setting.name.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F }, "\(setting.name)")
    #expect(setting.meaning.hasSuffix(".") && !setting.meaning.contains("|"), "\(setting.name)")
    let looksSecret = ["_SECRET", "_KEY", "_TOKEN", "_PASSWORD", "_HEADERS"].contains { setting.name.hasSuffix($0) }
    #expect(setting.isSecret || !looksSecret, "\(setting.name)")
  }
}

@Test("a secret that is refused is told beside all other faults, and a faulty value is told once")
func secretsBesideFaults() {
  let found = faults([
    "ENVIRONMENT": "production", "JWT_SECRET": "short", "PORT": "x", "METRICS_PORT": "0", "HTTP_HEAD_BYTES": "y",
    "JWT_SECRET_PREVIOUS": "a\u{7}b",
  ])
  #expect(found.contains("JWT_SECRET is shorter than 32 bytes, which ENVIRONMENT production refuses"))
  for name in ["PORT", "HTTP_HEAD_BYTES", "JWT_SECRET", "JWT_SECRET_PREVIOUS", "DATABASE_URL", "REDIS_URL"] {
    #expect(found.count { $0.hasPrefix("\(name) ") || $0.hasPrefix("\(name):") } == 1, "\(name)")
  }
}

@Test("the defaults are those that the layers below were measured with")
func layerDefaults() throws {
  let configuration = try load([:])
  let (http, limits) = (configuration.http, HTTPLimits())
  #expect(http.headBytes == limits.headBytes)
  #expect(http.targetBytes == limits.targetBytes)
  #expect(http.headerFields == limits.headerFields)
  #expect(http.headSeconds * 1_000 == limits.headMilliseconds)
  #expect(http.bodyGraceSeconds * 1_000 == limits.bodyGraceMilliseconds)
  #expect(http.bodyBytesPerSecond == limits.bodyBytesPerSecond)
  #expect(http.idleSeconds * 1_000 == limits.idleMilliseconds)
  #expect(http.connections == limits.connections)
  let (database, pool) = (configuration.database, DatabaseConfiguration(url: ""))
  #expect(database.readers == pool.readers)
  #expect(database.writers == pool.writers)
  #expect(database.transactionConnections == pool.transactionConnections)
  #expect(database.statementTimeoutMilliseconds == pool.statementTimeoutMilliseconds)
  #expect(database.connectTimeoutMilliseconds == pool.connectTimeoutMilliseconds)
  let redis = RedisConfiguration(address: configuration.redis.address)
  #expect(configuration.redis.commandTimeoutMilliseconds == redis.commandDeadlineMilliseconds)
  #expect(configuration.redis.connectTimeoutMilliseconds == redis.connectDeadlineMilliseconds)
}

@Test("log lines look as configured")
func logStyle() throws {
  var terminal = testMachine
  terminal.isTerminal = true
  #expect(try load([:], machine: terminal).logStyle.format == .text(coloured: true))
  #expect(try load([:]).logStyle.format == .json)
  #expect(try load(["LOG_FORMAT": "text"]).logStyle.format == .text(coloured: false))
  #expect(try load(["LOG_FORMAT": "json"], machine: terminal).logStyle.format == .json)
}

@Test("hashes passwords on no more threads than a pool has, nor memory allows", arguments: [1, 2, 33, 34, 64, 4_096])
func hashingParallelism(processors: Int) throws {
  let machine = Machine(processors: processors, randomSecret: testMachine.randomSecret)
  let threads = try Configuration.load(RawEnvironment(variables: [:], machine: machine)).accounts.hashingParallelism
  #expect(threads == min(PasswordPool.maximumThreads, max(1, processors / 2)))
  try PasswordPool(threads: threads, waiting: 1, cost: ScryptCost(logarithm: 4, blockSize: 1, parallelism: 1)!).stop()
  var small = machine
  small.memoryLimitBytes = 512 << 20
  let few = try Configuration.load(RawEnvironment(variables: [:], machine: small)).accounts.hashingParallelism
  #expect(few == min(4, threads))
}

@Test("refuses more threads for passwords than a pool has")
func tooManyHashingThreads() throws {
  #expect(try load(["PASSWORD_HASHING_PARALLELISM": "16"]).accounts.hashingParallelism == 16)
  let faults = #expect(throws: ConfigurationFaults.self) { try load(["PASSWORD_HASHING_PARALLELISM": "17"]) }
  #expect(faults?.faults == ["PASSWORD_HASHING_PARALLELISM: \"17\" is not a whole number of 1 to 16"])
}
