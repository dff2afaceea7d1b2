import Glibc
import Metrics

/// The metrics of requests, and of the connections that they come on.
package struct RequestInstruments: Sendable {
  private static let durationBuckets: [Double] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 1, 2, 2.5, 3, 5, 7, 10,
  ]
  /// Every answer of every route, all of which are there at zero from the start, and half as many unforeseen ones.
  static let maximumSeries = 3_000

  package let count: Family<Counter>
  let duration: Family<Histogram>
  package let activeConnections: Family<Gauge>
  package let openConnections: Family<Gauge>
  let connectionsDropped: Family<Counter>
  let errors: Family<Counter>
  let overloads: Family<Counter>
  /// The duration of all requests together, for the status page alone: the buckets of `duration` begin above most
  /// answers.
  package let responseTime: Family<Histogram>

  init(_ registry: Registry, shards: Int) {
    count = registry.counter(
      "http_requests_total", help: "Requests answered or refused.",
      labels: ["method", "route", "status", "status_code", "status_class"], maximumSeries: Self.maximumSeries)
    duration = registry.histogram(
      "http_request_duration_seconds", help: "Time from a request's first byte to its answer's last.",
      labels: ["method", "route", "status", "status_code"], buckets: Self.durationBuckets, exemplars: true)
    activeConnections = registry.gauge("active_connections", help: "Connections serving a request.")
    openConnections = registry.gauge("open_connections", help: "All open client connections.")
    connectionsDropped = registry.counter(
      "connections_dropped_total", help: "Connections not accepted for want of file descriptors or memory.")
    errors = registry.counter(
      "application_errors_total", help: "Answers of 500 and above, by problem.", labels: ["route", "error_type"])
    overloads = registry.counter(
      "overloads_total", help: "Requests refused because a limit was reached, by limit.", labels: ["limit"])
    responseTime = Registry(shards: shards).histogram(
      "response_time_seconds", help: "Time from a request's first byte to its answer's last.",
      buckets: (0..<32).map { 0.000_05 * pow(1.5, Double($0)) })
  }
}
