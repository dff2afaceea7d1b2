import HTTP
import Postgres
import Redis
import Testing
import Values

@testable import Secrets
@testable import Settings

@Test("an empty environment is enough for development")
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

@Test("uses NODE_ENV where ENVIRONMENT is not set, and SOURCE_REVISION for REVISION")
func aliases() throws {
  #expect(try load(["NODE_ENV": "test", "SOURCE_REVISION": "abc"]).deployment == .test)
  #expect(try load(["NODE_ENV": "test", "SOURCE_REVISION": "abc"]).service.revision == "abc")
  #expect(try load(["NODE_ENV": "nonsense", "ENVIRONMENT": "test"]).deployment == .test)
}

@Test("bounds the memory of connections by HTTP_MEMORY, or a quarter of the group's or machine's, not below 16 MiB")
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

@Test("an empty variable counts as not set")
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

@Test("reads origins as browsers send them, without capitals and the scheme's own port")
func origins() throws {
  let written = "https://App.Example.org,https://a.example:443,http://a.example:80,https://a.example:80,http://[::A]:81"
  let sent = "https://app.example.org,https://a.example,http://a.example,https://a.example:80,http://[::a]:81"
  let configuration = try load(["CORS_ORIGINS": "\(written),*"])
  #expect(configuration.listening.corsOrigins == (sent + ",*").split(separator: ",").map(String.init))
}

@Test("uses a provider if it has a key or a base URL")
func providers() throws {
  #expect(try load(["OPENAI_API_KEY": "k"]).insights.openAI.isConfigured)
  #expect(try load(["OPENAI_BASE_URL": "http://localhost:11434/v1"]).insights.openAI.isConfigured)
  #expect(try !load(["OPENAI_MODEL": "m"]).insights.openAI.isConfigured)
  #expect(try load(["ANTHROPIC_API_KEY_FILE": "/k"], files: ["/k": "k"]).insights.anthropic.isConfigured)
}

@Test("the defaults are those of the layers below")
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

@Test("log lines are as configured, by default text on a terminal and JSON elsewhere")
func logStyle() throws {
  var terminal = testMachine
  terminal.isTerminal = true
  #expect(try load([:], machine: terminal).logStyle.format == .text(coloured: true))
  #expect(try load([:]).logStyle.format == .json)
  #expect(try load(["LOG_FORMAT": "text"]).logStyle.format == .text(coloured: false))
  #expect(try load(["LOG_FORMAT": "json"], machine: terminal).logStyle.format == .json)
}

@Test(
  "hashes passwords on half the processors, but no more threads than a pool may have or memory allows",
  arguments: [1, 2, 33, 34, 64, 4_096])
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

@Test("refuses more threads for passwords than a pool may have")
func tooManyHashingThreads() throws {
  #expect(try load(["PASSWORD_HASHING_PARALLELISM": "16"]).accounts.hashingParallelism == 16)
  let faults = #expect(throws: ConfigurationFaults.self) { try load(["PASSWORD_HASHING_PARALLELISM": "17"]) }
  #expect(faults?.faults == ["PASSWORD_HASHING_PARALLELISM: \"17\" is not a whole number of 1 to 16"])
}
