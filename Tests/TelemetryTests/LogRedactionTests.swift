import Testing

@testable import Telemetry

@Test(
  "masks the values of secret query parameters and keeps the rest",
  arguments: [
    ("/a", "/a"), ("/a?", "/a?"), ("/a?limit=5", "/a?limit=5"), ("/a?token=x", "/a?token=***"),
    ("/a?limit=5&access_token=x&q=b", "/a?limit=5&access_token=***&q=b"), ("/a?API-Key=x", "/a?API-Key=***"),
    ("/a?password=x=y&password=z", "/a?password=***&password=***"), ("/a?s%2Did=x", "/a?s%2Did=***"),
    ("/a?token", "/a?token"), ("/a?&&token=", "/a?&&token=***"), ("/a?x=?token=y", "/a?x=?token=y"),
    ("/a?refreshToken=x", "/a?refreshToken=***"), ("*", "*"),
    ("/api/invitations/tiv_abc", "/api/invitations/***"), ("/a/tpr_x/b?c=d", "/a/***/b?c=d"), ("/a_b/c", "/a_b/c"),
    ("/api/tokens/tpt_abc", "/api/tokens/***"), ("/a/Bearer%20tpt_x/b", "/a/***/b"), ("/a?tdk_x&b=c", "/a?***&b=c"),
    ("/a?tdk_x=b", "/a?***"), ("/a?type=water_temperature", "/a?type=water_temperature"),
    ("/register?to=%2Finvitations%2Ftiv_x", "/register?to=***"), ("/?to=/i/tpr_x&q=a_b", "/?to=***&q=a_b"),
    ("/api/invitations/tiv%5Fabc", "/api/invitations/***"), ("/api/invitations/%74iv_abc", "/api/invitations/***"),
    ("/a/t%70t%5fabc/b", "/a/***/b"), ("/a?%74oken=x", "/a?***"),
    ("/register?to=%2Fi%2Ftiv%5Fx&q=1", "/register?to=***&q=1"),
    ("/a/%7Bid%7D/caf%C3%A9%20b/%2e%", "/a/%7Bid%7D/caf%C3%A9%20b/%2e%"),
  ])
func redactedTarget(target: String, expected: String) {
  #expect(LogRedaction.path(target) == expected)
}

@Test("masks secrets in a line that quotes a request")
func redactedLine() {
  let line =
    #"upstream away, request: "GET /invitations/tiv_abc?ticket=x&q=1 HTTP/1.1", upstream: "http://a:1/i/tiv%5Fabc""#
  #expect(
    LogRedaction.line(line + #", referrer: "https://b/i/tiv_abc?token=y""#)
      == #"upstream away, request: "GET /invitations/***?ticket=***&q=1 HTTP/1.1", upstream: "http://a:1/i/***""#
      + #", referrer: "https://b/i/***?token=***""#)
}

@Test("masks a secret in a field, and in a logged target")
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
