import Testing

@testable import Settings

@Test("production refuses what development only warns about")
func weakSecrets() throws {
  let weak: [(name: String, value: String, reason: String)] = [
    ("JWT_SECRET", "short", "JWT_SECRET is shorter than 32 bytes"),
    ("JWT_SECRET", String(repeating: "a", count: 64), "JWT_SECRET is not random enough"),
    ("JWT_SECRET", String(repeating: "q8Zr3vX1mB6tYw9e", count: 4), "JWT_SECRET is not random enough"),
    ("JWT_SECRET", "ChangeMe-" + goodSecret, "JWT_SECRET looks like a default"),
    ("JWT_SECRET_PREVIOUS", goodSecret, "JWT_SECRET_PREVIOUS is JWT_SECRET"),
    ("METRICS_TOKEN", "abc", "METRICS_TOKEN is shorter than 16 bytes"),
    ("DATABASE_URL", "postgresql://u:postgres@h/d", "DATABASE_URL has a well-known password"),
    ("DATABASE_URL", "postgresql://u:u@h/d", "DATABASE_URL has a well-known password"),
    ("REDIS_URL", "redis://:Password@h", "REDIS_URL has a well-known password"),
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

@Test("a refused secret is reported with all other faults, and each faulty value once")
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
