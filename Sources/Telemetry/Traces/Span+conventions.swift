/// OpenTelemetry's semantic conventions, 1.38: HTTP server spans and database client spans.
extension Span {
  /// Describes an answered request and names the span by method and route.
  ///
  /// `method` is nil for one the server does not know (`_OTHER`), `route` the template or nil when nothing matched,
  /// `path` never holds the query. A 5xx marks the span as failed, a 4xx does not: that is the caller's fault.
  package mutating func describeHTTP(
    method: String?, route: String?, path: String, statusCode: Int, clientAddress: String, userAgent: String?,
    serverAddress: String?, serverPort: Int?
  ) {
    name = route.map { "\(method ?? "HTTP") \($0)" } ?? (method ?? "HTTP")
    set("http.request.method", method ?? "_OTHER")
    set("http.route", route)
    set("url.scheme", "http")
    set("url.path", path)
    set("http.response.status_code", statusCode)
    set("client.address", clientAddress)
    set("user_agent.original", userAgent)
    set("server.address", serverAddress)
    if let serverPort { set("server.port", serverPort) }
    guard statusCode >= 500 else { return }
    set("error.type", "\(statusCode)")
    status = .error("")
  }

  /// Describes a request to another server and names the span by its method. `statusCode` is nil without an answer.
  package mutating func describeCall(
    method: String, url: String, serverAddress: String?, serverPort: Int?, statusCode: Int?
  ) {
    name = method
    set("http.request.method", method)
    set("url.full", url)
    set("server.address", serverAddress)
    if let serverPort { set("server.port", serverPort) }
    if let statusCode { set("http.response.status_code", statusCode) }
    if let statusCode, statusCode < 400 { return }
    set("error.type", statusCode.map(String.init) ?? "no-answer")
    status = .error("")
  }

  /// The databases that spans name, as `db.system.name` has them.
  package enum Database: String, Sendable {
    case postgresql, redis
  }

  /// Describes a query or command.
  ///
  /// `operation` is the verb (`SELECT`, `GET`), `summary` the statement's name or verb and table: never its values.
  /// `error` is a short kind, such as the SQLSTATE, and marks the span as failed.
  package mutating func describeDatabase(
    _ database: Database, operation: String?, summary: String, namespace: String? = nil, serverAddress: String? = nil,
    error: String? = nil
  ) {
    name = summary
    set("db.system.name", database.rawValue)
    set("db.operation.name", operation)
    set("db.query.summary", summary)
    set("db.namespace", namespace)
    set("server.address", serverAddress)
    guard let error else { return }
    set("error.type", error)
    status = .error("")
  }
}
