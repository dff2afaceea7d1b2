/// Something that is measured when a scrape asks for it, rather than when it changes: a pool's size, the process.
public protocol Collector: Sendable {
  /// The families that it fills, counters and gauges; read once, when it is registered.
  var descriptions: [FamilyDescription] { get }

  /// Adds the values of this moment. Runs at each scrape, on the thread that scrapes: it must be quick and never wait.
  func collect(into samples: inout Samples)
}
