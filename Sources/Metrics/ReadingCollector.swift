/// A gauge or counter without labels whose value is read at each scrape.
struct ReadingCollector: Collector {
  let description: FamilyDescription
  let read: @Sendable () -> Double

  var descriptions: [FamilyDescription] { [description] }

  func collect(into samples: inout Samples) { samples.add(description.name, [], value: read()) }
}
