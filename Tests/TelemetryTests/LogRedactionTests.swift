import Testing

@testable import Telemetry

@Test(
  "masks the values of secret query parameters and keeps the rest",
  arguments: [
    ("/a", "/a"), ("/a?", "/a?"), ("/a?limit=5", "/a?limit=5"), ("/a?token=x", "/a?token=***"),
    ("/a?limit=5&access_token=x&q=b", "/a?limit=5&access_token=***&q=b"), ("/a?API-Key=x", "/a?API-Key=***"),
    ("/a?password=x=y&password=z", "/a?password=***&password=***"), ("/a?%74oken=x", "/a?%74oken=***"),
    ("/a?token", "/a?token"), ("/a?&&token=", "/a?&&token=***"), ("/a?x=?token=y", "/a?x=?token=y"),
    ("/a?refreshToken=x", "/a?refreshToken=***"), ("*", "*"),
    ("/api/invitations/tiv_abc", "/api/invitations/***"), ("/a/tpr_x/b?c=d", "/a/***/b?c=d"), ("/a_b/c", "/a_b/c"),
  ])
func redactedTarget(target: String, expected: String) {
  #expect(LogRedaction.path(target) == expected)
}

@Test("masks a secret in a field, and in a target that is logged")
func redactedFields() throws {
  let target = Array("/a?token=hunter2".utf8)
  let lines = logged { logger in
    logger.log(.info, "x") { line in
      line.field("secret", secret: "hunter2")
      line.field("other", secret: nil)
      target.withUnsafeBytes { line.field("path", target: $0) }
    }
  }
  #expect(try LineReader.members(lines[0]).suffix(3).map(\.value) == ["***", "unset", "/a?token=***"])
}
