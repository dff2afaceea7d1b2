import Metrics

/// The metrics of Postgres, Redis and the caches before them.
package struct StoreInstruments: Sendable {
  package let databaseActive: Family<Gauge>
  package let databaseIdle: Family<Gauge>
  package let redisActive: Family<Gauge>
  let cacheRequests: Family<Counter>
  let queryDuration: Family<Histogram>
  let commandDuration: Family<Histogram>

  init(_ registry: Registry) {
    databaseActive = registry.gauge("database_connections_active", help: "Postgres connections with a query in flight.")
    databaseIdle = registry.gauge("database_connections_idle", help: "Postgres connections with nothing in flight.")
    redisActive = registry.gauge("redis_connections_active", help: "Redis connections that are up.")
    cacheRequests = registry.counter(
      "cache_requests_total", help: "Look-ups in a cache, by result.", labels: ["cache", "result"])
    queryDuration = registry.histogram(
      "database_query_duration_seconds", help: "Time from sending a statement to its result.",
      labels: ["statement"], buckets: Instruments.fineBuckets)
    commandDuration = registry.histogram(
      "redis_command_duration_seconds", help: "Time from sending a command to its reply.",
      labels: ["command"], buckets: Instruments.fineBuckets)
  }
}
