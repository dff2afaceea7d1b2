/// A source of values that are measured at each scrape rather than when they change: a pool's size, the process.
public protocol Collector: Sendable {
  /// The families that it fills, counters and gauges; read once, when it is registered.
  var descriptions: [FamilyDescription] { get }

  /// Adds the present values. Runs at each scrape, on the scraping thread: it must be quick and never wait.
  func collect(into samples: inout Samples)
}
