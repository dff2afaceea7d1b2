import JSON
import Testing
import Values

/// A bucket as a client sees it.
struct Bucket: Equatable, CustomStringConvertible {
  let type: String
  let start: String
  /// Minimum, maximum, mean and count.
  let numbers: [Double]
  var description: String { "\(type) \(start) \(numbers)" }

  /// The buckets of `milliseconds` that `samples` must result in, ordered by start and type.
  static func expected(_ samples: [Sample], _ milliseconds: Int64) -> [Bucket] {
    let groups = Dictionary(grouping: samples) { sample in
      let start = sample.at.unixMilliseconds.floorDivided(by: milliseconds) * milliseconds
      return "\(Timestamp(unixMilliseconds: start)) \(sample.type)"
    }
    return groups.sorted { $0.key < $1.key }.map { key, samples in
      let parts = key.split(separator: " ")
      let values = samples.map(\.value)
      let mean = values.reduce(0, +) / Double(values.count)
      return Bucket(
        type: String(parts[1]), start: String(parts[0]),
        numbers: [values.min()!, values.max()!, mean, Double(values.count)])
    }
  }
}

extension TestDevice {
  /// The buckets that the device reads of the span `from` to `to`, in milliseconds since 1970.
  func buckets(_ resolution: String, from: Int64, to: Int64) throws -> [Bucket] {
    let span = "from=\(Timestamp(unixMilliseconds: from))&to=\(Timestamp(unixMilliseconds: to))"
    let reply = try client.get("\(path)?resolution=\(resolution)&limit=10000&\(span)")
    return try #require(try reply.json["items"]?.elements).map { item in
      Bucket(
        type: item["sensorType"]?.text ?? "", start: item["start"]?.text ?? "",
        numbers: ["min", "max", "mean", "count"].map { item[$0]?.number ?? .nan })
    }
  }
}
