import Metrics

/// What became of news. The raw value is a label of metrics.
package enum NewsOutcome: String, CaseIterable, Sendable {
  case delivered, failed, expired, dropped
}

/// The metrics of news on its way to channels.
package struct NewsInstruments: Sendable {
  /// From a second, which is how often the outbox is looked at, to the day after which nothing is tried any more.
  private static let delayBuckets: [Double] = [1, 2, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400]

  private let outcomes: Family<Counter>
  package let delay: Family<Histogram>
  package let wait: Family<Gauge>

  init(_ registry: Registry) {
    outcomes = registry.counter(
      "notifications_total", help: "News by its outcome; of what failed, attempts.", labels: ["kind", "result"])
    delay = registry.histogram(
      "notification_delay_seconds", help: "Time from when news could be delivered to when it was.", labels: ["kind"],
      buckets: Self.delayBuckets)
    wait = registry.gauge(
      "notification_wait_seconds", help: "Age of the oldest news that waits although its channel is well.")
  }

  /// How much of one kind of channel's news came to that.
  package func count(_ kind: String, _ outcome: NewsOutcome, shard: Int) -> Counter {
    outcomes.child(shard: shard, kind, outcome.rawValue)
  }
}
