import Testing

@Test("says what is wrong with settings from files")
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
  "shows no password of a URL that cannot be read",
  arguments: [
    ("SMTP_URL", "smtps://user:hunter2/+x@mail:465", "smtps://user:***@mail:465"),
    ("SMTP_URL", "user:hunter2@mail:465", "user:***@mail:465"),
    ("SMTP_URL", "smtps://user:hun#ter2@mail", "smtps://user:***@mail"),
    ("HEALTH_EXTERNAL_URLS", "https://a,https://u:hunter2@b/x y", "https://a,https:***@b/x y"),
    ("HEALTH_EXTERNAL_URLS", "https://a/x?token=hunter2#x", "https://a/x?token=***"),
    ("JAEGER_ENDPOINT", "u:hunter2@jaeger:x", "u:***@jaeger:x"),
    ("OPENAI_BASE_URL", "openai:8080", "openai:8080"), ("SMTP_FROM", "ada@@example.org", "ada@@example.org"),
  ])
func hiddenPasswords(name: String, value: String, shown: String) {
  let found = faults([name: value])
  #expect(found.count == 1 && found[0].hasPrefix("\(name): \"\(shown)\" is not "), "\(found)")
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

@Test(
  "refuses a malformed URL of Postgres at once, not with the first connection",
  arguments: ["DATABASE_URL", "DATABASE_REPLICA_URL"])
func databaseURLs(name: String) {
  for (url, fault) in [
    ("postgres://u:hunter2%zz@h/d", "cannot be read"), ("postgres://u:hunter2@h/d?foo=bar", "cannot be read"),
    ("postgres://u:hunter2@h:99999/d", "an invalid port"), ("postgres://u:hunter2@h:0/d", "an invalid port"),
    ("postgres://u:hunter2@h/d?hostaddr=1.2.3.4,1.2.3.5", "different numbers"),
    ("postgres://u:hunter2@h/d?sslmode=banana", "a sslmode that is none of disable,"),
    ("postgres://u:hunter2@a,b/d?target_session_attrs=master", "a target_session_attrs that is none of any,"),
    ("postgres://u:hunter2@h/d?ssl_min_protocol_version=foo", "a ssl_min_protocol_version that is none of TLSv1,"),
    ("postgres://u:hunter2@h/d?keepalives=abc", "a keepalives that is not a whole number"),
    ("postgres://u:hunter2@h/d?connect_timeout=1.5", "a connect_timeout that is not a whole number"),
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

@Test("refuses to send a password to a mail server in the clear")
func plainMail() {
  let plain = ["SMTP_URL": "smtp://u:p@h", "SMTP_FROM": "a@example.org", "SMTP_STARTTLS": "none"]
  #expect(faults(plain) == ["SMTP_STARTTLS is none, and SMTP_URL has a password"])
  for (name, value) in [("SMTP_URL", "smtp://h"), ("SMTP_URL", "smtps://u:p@h"), ("SMTP_STARTTLS", "required")] {
    #expect(faults(plain.merging([name: value]) { $1 }) == [])
  }
}
