/// A gauge or counter without labels whose value is read at each scrape.
struct ReadingCollector: Collector {
  let description: FamilyDescription
  let read: @Sendable () -> Double

  var descriptions: [FamilyDescription] { [description] }

  func collect(into samples: inout Samples) { samples.add(description.name, [], value: read()) }
}

extension Registry {
  /// Registers a gauge without labels that is read at each scrape, on the thread that scrapes; `read` must be quick.
  public func gauge(_ name: String, help: String, reading read: @escaping @Sendable () -> Double) {
    collect(ReadingCollector(description: FamilyDescription(name, help: help, kind: .gauge), read: read))
  }

  /// Registers a counter without labels that is read at each scrape, on the thread that scrapes; `read` must be quick.
  public func counter(_ name: String, help: String, reading read: @escaping @Sendable () -> Double) {
    collect(ReadingCollector(description: FamilyDescription(name, help: help, kind: .counter), read: read))
  }
}
