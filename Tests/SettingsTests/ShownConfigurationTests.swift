import Testing

@testable import Settings

@Test("shows the settings in effect, and no secret")
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

@Test(
  "shows no password in a URL of Postgres, also one that libpq takes although it is not escaped",
  arguments: [
    ("postgres://u:hunter2@h/d", "postgres://u:***@h/d"),
    ("postgres://u:?hunter2#@h:1/d?sslmode=require", "postgres://u:***@h:1/d?sslmode=require"),
    ("postgres://u:?hunter2@h?sslpassword=hunter2", "postgres://u:***@h?sslpassword=***"),
    ("postgres://u:hunter2@h?user=a@b", "postgres://u:***@h?user=a@b"), ("postgres://u@h/d", "postgres://u@h/d"),
    ("postgres://h:1/d?user=a@b", "postgres://h:1/d?user=a@b"),
    ("postgres://h?user=a&password=hunter2@x", "postgres://h?user=a&password=***"),
    ("postgres://h?password=hunter2:hunter2@x", "postgres://h?password=***"),
    ("postgres://a?b:hunter2@h/d", "postgres://a?b:***@h/d"),
  ])
func maskedURLs(url: String, shown: String) throws {
  let lines = try load(["DATABASE_URL": url]).text.split(separator: "\n")
  #expect(lines.contains { $0 == "DATABASE_URL=\(shown)  # DATABASE_URL" })
}

@Test("the shown settings read back as the same configuration")
func roundTrip() throws {
  let first = try load([:])
  var variables: [String: String] = [:]
  for setting in Configuration.settings where !setting.isSecret || setting.name.hasSuffix("_URL") {
    variables[setting.name] = setting.show(first)
  }
  let second = try load(variables)
  for setting in Configuration.settings { #expect(setting.show(first) == setting.show(second), "\(setting.name)") }
}

@Test("every setting has a unique name in capitals and a meaning, and is secret if its name says so")
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
