import Metrics

/// Every metric of the process, registered once at start; the loops hold children of their own shard.
package struct Instruments: Sendable {
  /// Buckets for store round trips and loop lag, which are far shorter than requests.
  static let fineBuckets: [Double] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5,
  ]
  /// The most device ids with series of their own; later ones are counted under `_other`.
  static let maximumDeviceSeries = 200
  /// The number of sensor types that `Agronomy` knows; a test compares it.
  static let knownSensorTypes = 11
  /// The most series of `iot_sensor_readings_total`: three results × known sensor types × devices.
  static let maximumReadingSeries = 3 * knownSensorTypes * maximumDeviceSeries

  package let registry: Registry
  package let requests: RequestInstruments
  package let stores: StoreInstruments
  package let orders: OrderInstruments
  package let news: NewsInstruments
  let usersRegistered: Family<Counter>
  package let sessionsActive: Family<Gauge>
  package let readings: Family<Counter>
  package let insights: Family<Counter>
  let eventsDropped: Family<Counter>
  let userActions: Family<Counter>
  package let dependencyUp: Family<Gauge>
  let buildInfo: Family<Gauge>
  let loopLag: Family<Histogram>
  package let dutyRuns: Family<Counter>
  package let rollupRefused: Family<Counter>

  /// Registers everything for `shards` writing threads.
  package init(shards: Int) {
    let registry = Registry(shards: shards)
    self.registry = registry
    requests = RequestInstruments(registry, shards: shards)
    stores = StoreInstruments(registry)
    orders = OrderInstruments(registry)
    news = NewsInstruments(registry)
    usersRegistered = registry.counter("users_registered_total", help: "Accounts made.")
    sessionsActive = registry.gauge(
      "user_sessions_active",
      help: "Sessions of all replicas, neither expired nor revoked; beyond about 80000 an estimate.")
    readings = registry.counter(
      "iot_sensor_readings_total", help: "Sensor readings received, by outcome.",
      labels: ["sensor_type", "device_id", "status"], maximumSeries: Self.maximumReadingSeries,
      maximumValues: ["device_id": Self.maximumDeviceSeries], keptLabels: ["status"])
    insights = registry.counter(
      "ai_insights_generated_total", help: "Insights by author; where success is false, failures of the provider.",
      labels: ["insight_type", "model_provider", "success"])
    eventsDropped = registry.counter(
      "garden_events_dropped_total", help: "Garden events dropped because Redis was unavailable for too long.")
    userActions = registry.counter(
      "user_actions_total", help: "Actions of users.", labels: ["action", "has_user"])
    dependencyUp = registry.gauge("dependency_up", help: "1 when the check is healthy.", labels: ["name"])
    buildInfo = registry.gauge(
      "build_info", help: "The running build, by its labels; always 1.", labels: ["version", "revision", "swift"])
    dutyRuns = registry.counter(
      "housekeeping_runs_total",
      help: "Runs of background duties; a run is skipped while another replica runs the duty.",
      labels: ["duty", "result"])
    rollupRefused = registry.counter(
      "rollup_refused_total",
      help:
        "What the rollup could not add up: buckets set aside, and additions whose buckets were rebuilt.",
      labels: ["part"])
    loopLag = registry.histogram(
      "event_loop_lag_seconds", help: "How late a loop's timer fires.", labels: ["loop"], buckets: Self.fineBuckets)
    registry.collect(ProcessCollector())
  }
}
