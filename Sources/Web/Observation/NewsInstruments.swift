import Metrics

/// What became of news. The raw value is a label of metrics.
package enum NewsOutcome: String, CaseIterable, Sendable {
  case delivered, failed, expired, dropped
}

/// The metrics of news on its way to channels.
package struct NewsInstruments: Sendable {
  /// From one second, the interval at which the outbox is read, to the day after which delivery is no longer tried.
  private static let delayBuckets: [Double] = [1, 2, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400]

  private let outcomes: Family<Counter>
  package let delay: Family<Histogram>
  package let wait: Family<Gauge>

  init(_ registry: Registry) {
    outcomes = registry.counter(
      "notifications_total", help: "News by outcome; for failed, attempts.", labels: ["kind", "result"])
    delay = registry.histogram(
      "notification_delay_seconds", help: "Time from when news was due to when it was delivered.", labels: ["kind"],
      buckets: Self.delayBuckets)
    wait = registry.gauge(
      "notification_wait_seconds", help: "Age of the oldest news that waits although its channel works.")
  }

  /// The counter of one kind of channel's news with `outcome`.
  package func count(_ kind: String, _ outcome: NewsOutcome, shard: Int) -> Counter {
    outcomes.child(shard: shard, kind, outcome.rawValue)
  }
}
