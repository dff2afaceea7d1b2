import HTTP

/// Cross-origin requests (the Fetch standard's CORS protocol): allowed for the configured origins, by default for none.
enum CrossOrigin {
  /// Adds the fields of a preflight's answer, if it comes from an allowed origin.
  static func answerPreflight(_ request: Request, allow: String, _ origins: [String], _ headers: inout HeaderList) {
    guard !origins.isEmpty, let origin = request.header("Origin"), isAllowed(origin, origins),
      request.headerCount("Access-Control-Request-Method") > 0
    else { return }
    headers.append("Access-Control-Allow-Methods", allow)
    headers.append(
      "Access-Control-Allow-Headers",
      "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id, traceparent")
    headers.append("Access-Control-Max-Age", "600")
  }

  /// Adds the fields of every answer where origins are allowed. Caches must know that the answer differs by origin.
  static func addFields(to fields: FieldWriter, for request: Request, _ origins: [String]) {
    fields.append(lines: "Vary: Origin\r\n")
    guard let origin = request.header("Origin"), isAllowed(origin, origins) else { return }
    fields.append("Access-Control-Allow-Origin", origin)
    fields.append(
      lines:
        "Access-Control-Expose-Headers: ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id\r\n"
    )
  }

  private static func isAllowed(_ origin: String, _ origins: [String]) -> Bool {
    origins.contains { $0 == "*" || $0 == origin }
  }
}
