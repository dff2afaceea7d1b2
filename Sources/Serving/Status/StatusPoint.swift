import JSON
import Values
import Web

/// What the server did in five seconds: one point of the status page's charts.
struct StatusPoint: Sendable {
  /// When the five seconds ended.
  var at: Timestamp
  var requestsPerSecond = 0.0
  /// The share of answers of 500 and above, 0…1; nil without requests, as are the quantiles of their duration.
  var errorShare: Double?
  var p50Milliseconds: Double?
  var p95Milliseconds: Double?
  var p99Milliseconds: Double?
  /// At the end of the five seconds, as are the other connections.
  var openConnections = 0
  var activeConnections = 0
  var databaseActive = 0
  var databaseIdle = 0
  /// How long the last check of the store took; nil when it did not answer.
  var databaseMilliseconds: Double?
  var redisConnections = 0
  var redisMilliseconds: Double?
  /// Readings that were accepted and new.
  var readingsPerSecond = 0.0
}

extension StatusPoint: JSONWritable {
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("at", at)
      json.member("requestsPerSecond", Self.rounded(requestsPerSecond))
      json.member("errorShare", errorShare.map(Self.rounded))
      json.member("p50Ms", p50Milliseconds.map(Self.rounded))
      json.member("p95Ms", p95Milliseconds.map(Self.rounded))
      json.member("p99Ms", p99Milliseconds.map(Self.rounded))
      json.member("openConnections", openConnections)
      json.member("activeConnections", activeConnections)
      json.member("databaseActive", databaseActive)
      json.member("databaseIdle", databaseIdle)
      json.member("databaseMs", databaseMilliseconds.map(Self.rounded))
      json.member("redisConnections", redisConnections)
      json.member("redisMs", redisMilliseconds.map(Self.rounded))
      json.member("readingsPerSecond", Self.rounded(readingsPerSecond))
    }
  }

  /// To four decimals, beyond which there is only noise.
  private static func rounded(_ number: Double) -> Double { (number * 10_000).rounded() / 10_000 }

  static let schema = Schema.named(
    "StatusPoint",
    .object([
      .required("at", .timestamp, "When the five seconds ended."),
      .required("requestsPerSecond", .number(minimum: 0)),
      .required(
        "errorShare", .nullable(.number(minimum: 0, maximum: 1)),
        "The share of answers that were 5xx; null without any."),
      .required("p50Ms", .nullable(.number(minimum: 0)), "The median time of answers; null without any."),
      .required("p95Ms", .nullable(.number(minimum: 0))),
      .required("p99Ms", .nullable(.number(minimum: 0))),
      .required("openConnections", .integer()),
      .required("activeConnections", .integer(), "Connections that are serving a request."),
      .required("databaseActive", .integer(), "Postgres connections with a query in flight."),
      .required("databaseIdle", .integer()),
      .required(
        "databaseMs", .nullable(.number(minimum: 0)), "How long Postgres' health check took; null if it failed."),
      .required("redisConnections", .integer()),
      .required("redisMs", .nullable(.number(minimum: 0))),
      .required("readingsPerSecond", .number(minimum: 0), "Sensor readings that were accepted."),
    ]))
}
