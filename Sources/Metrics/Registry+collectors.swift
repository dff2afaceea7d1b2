extension Registry {
  /// Registers a collector, which is asked at each scrape, on the scraping thread.
  public func collect(_ collector: any Collector) {
    let descriptions = collector.descriptions
    if let histogram = descriptions.first(where: { $0.kind == .histogram }) {
      fatalError("\(histogram.name): a collector has counters and gauges only")
    }
    add(.collector(collector, descriptions), descriptions)
  }

  /// Registers a gauge without labels that is read at each scrape, on the scraping thread; `read` must be quick.
  public func gauge(_ name: String, help: String, reading read: @escaping @Sendable () -> Double) {
    collect(ReadingCollector(description: FamilyDescription(name, help: help, kind: .gauge), read: read))
  }

  /// Registers a counter without labels that is read at each scrape, on the scraping thread; `read` must be quick.
  public func counter(_ name: String, help: String, reading read: @escaping @Sendable () -> Double) {
    collect(ReadingCollector(description: FamilyDescription(name, help: help, kind: .counter), read: read))
  }
}
