import Glibc
import Metrics

/// Every metric of the process, registered once at start; the loops hold children of their own shard.
package struct Instruments: Sendable {
  static let durationBuckets: [Double] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 1, 2, 2.5, 3, 5, 7, 10,
  ]
  /// Store round trips and loop lag are far shorter than requests.
  static let fineBuckets: [Double] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5,
  ]
  /// Device ids that get series of their own; later ones are counted under `_other`.
  static let maximumDeviceSeries = 200
  /// The types of sensor that `Agronomy` knows; a test compares.
  static let knownSensorTypes = 11
  /// Accepted, duplicate and rejected ones, of each of these types, of each of these devices.
  static let maximumReadingSeries = 3 * knownSensorTypes * maximumDeviceSeries

  /// Every route's every answer, which are there at zero from the start, and half as many that nobody foresaw.
  static let maximumRequestSeries = 3_000

  package let registry: Registry
  package let requests: Family<Counter>
  let requestDuration: Family<Histogram>
  package let activeConnections: Family<Gauge>
  package let openConnections: Family<Gauge>
  let connectionsDropped: Family<Counter>
  package let databaseActive: Family<Gauge>
  package let databaseIdle: Family<Gauge>
  package let redisActive: Family<Gauge>
  let usersRegistered: Family<Counter>
  package let sessionsActive: Family<Gauge>
  package let ordersCreated: Family<Counter>
  package let orderTransitions: Family<Counter>
  package let revenue: Family<Counter>
  package let refunds: Family<Counter>
  package let readings: Family<Counter>
  package let insights: Family<Counter>
  let eventsDropped: Family<Counter>
  let errors: Family<Counter>
  let overloads: Family<Counter>
  let userActions: Family<Counter>
  let cacheRequests: Family<Counter>
  let queryDuration: Family<Histogram>
  let commandDuration: Family<Histogram>
  package let dependencyUp: Family<Gauge>
  let buildInfo: Family<Gauge>
  let loopLag: Family<Histogram>
  package let dutyRuns: Family<Counter>
  package let rollupRefused: Family<Counter>
  package let news: NewsInstruments
  /// Of all requests together, for the status page alone: the buckets of `requestDuration` begin above most answers.
  package let responseTime: Family<Histogram>

  /// Registers everything for that many writing threads.
  package init(shards: Int) {
    let registry = Registry(shards: shards)
    self.registry = registry
    requests = registry.counter(
      "http_requests_total", help: "Requests answered or refused.",
      labels: ["method", "route", "status", "status_code", "status_class"], maximumSeries: Self.maximumRequestSeries)
    requestDuration = registry.histogram(
      "http_request_duration_seconds", help: "Time from a request's first byte to its answer's last.",
      labels: ["method", "route", "status", "status_code"], buckets: Self.durationBuckets, exemplars: true)
    activeConnections = registry.gauge("active_connections", help: "Connections serving a request.")
    openConnections = registry.gauge("open_connections", help: "All open client connections.")
    connectionsDropped = registry.counter(
      "connections_dropped_total", help: "Connections not accepted for want of file descriptors or memory.")
    databaseActive = registry.gauge("database_connections_active", help: "Postgres connections with a query in flight.")
    databaseIdle = registry.gauge("database_connections_idle", help: "Postgres connections with nothing in flight.")
    redisActive = registry.gauge("redis_connections_active", help: "Redis connections that are up.")
    usersRegistered = registry.counter("users_registered_total", help: "Accounts made.")
    sessionsActive = registry.gauge(
      "user_sessions_active",
      help: "Sessions neither expired nor revoked, of all replicas; beyond some 80000 an estimate.")
    ordersCreated = registry.counter("orders_created_total", help: "Orders made.", labels: ["status"])
    orderTransitions = registry.counter(
      "order_transitions_total", help: "Orders moved from one state to another.", labels: ["from", "to"])
    revenue = registry.counter(
      "revenue_total", help: "Minor units of money of orders paid, after their COMMIT.", labels: ["currency"])
    refunds = registry.counter(
      "refunds_total", help: "Minor units of money of orders refunded, after their COMMIT.", labels: ["currency"])
    readings = registry.counter(
      "iot_sensor_readings_total", help: "Sensor readings received, by what became of them.",
      labels: ["sensor_type", "device_id", "status"], maximumSeries: Self.maximumReadingSeries,
      maximumValues: ["device_id": Self.maximumDeviceSeries], keptLabels: ["status"])
    insights = registry.counter(
      "ai_insights_generated_total", help: "Insights asked of a provider, by success.",
      labels: ["insight_type", "model_provider", "success"])
    eventsDropped = registry.counter(
      "garden_events_dropped_total", help: "Events of gardens that were not told, because Redis was away too long.")
    errors = registry.counter(
      "application_errors_total", help: "Answers of 500 and above, by problem.", labels: ["route", "error_type"])
    overloads = registry.counter(
      "overloads_total", help: "Requests refused because a bound was reached, by the bound.", labels: ["limit"])
    userActions = registry.counter(
      "user_actions_total", help: "What users did.", labels: ["action", "has_user"])
    cacheRequests = registry.counter(
      "cache_requests_total", help: "Look-ups in a cache, by result.", labels: ["cache", "result"])
    queryDuration = registry.histogram(
      "database_query_duration_seconds", help: "Time from sending a statement to its result.",
      labels: ["statement"], buckets: Self.fineBuckets)
    commandDuration = registry.histogram(
      "redis_command_duration_seconds", help: "Time from sending a command to its reply.",
      labels: ["command"], buckets: Self.fineBuckets)
    dependencyUp = registry.gauge("dependency_up", help: "1 when the check is healthy.", labels: ["name"])
    buildInfo = registry.gauge(
      "build_info", help: "What is running; always 1.", labels: ["version", "revision", "swift"])
    dutyRuns = registry.counter(
      "housekeeping_runs_total", help: "Runs of background duties; those that another replica had are skipped.",
      labels: ["duty", "result"])
    rollupRefused = registry.counter(
      "rollup_refused_total",
      help:
        "What the rollup could not add up: buckets that were set aside, and additions whose buckets were made anew.",
      labels: ["part"])
    news = NewsInstruments(registry)
    loopLag = registry.histogram(
      "event_loop_lag_seconds", help: "How late a loop's timer fires.", labels: ["loop"], buckets: Self.fineBuckets)
    responseTime = Registry(shards: shards).histogram(
      "response_time_seconds", help: "Time from a request's first byte to its answer's last.",
      buckets: (0..<32).map { 0.000_05 * pow(1.5, Double($0)) })
    registry.collect(ProcessCollector())
  }
}
