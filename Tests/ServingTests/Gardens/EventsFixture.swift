import JSON
import Testing

extension TestDevice {
  /// Watches the garden as its owner, on the device's server unless another is named.
  func watch(on server: LiveServer? = nil, after id: String? = nil) throws -> EventStream {
    try EventStream(server ?? self.server, "\(garden)", token: owner.token, after: id)
  }

  /// Posts `count` new readings.
  func post(_ count: Int, type: String = "soil_moisture") throws {
    #expect(try post(client, Sample.series(count, type: type)).receipt == [Int64(count), 0])
  }
}

extension EventStream {
  /// The events before a gap; nil if there is no gap among the next 60 events and heartbeats.
  func untilGap() throws -> [Event]? {
    var told: [Event] = []
    for _ in 0..<60 {
      guard let part = try nextPart() else { return nil }
      if part.name == "gap" { return told }
      if !part.name.isEmpty { told.append(part) }
    }
    return nil
  }
}

extension EventStream.Event {
  /// The value of the reading in its data.
  var value: Double? { get throws { try JSONReader.parse(Array(data.utf8))["value"]?.number } }
}
