/// What a server has counted since its start: requests of the API, those of them that failed, and how long they took.
///
/// As monitoring/prometheus/recording.yml counts: the API is every /api route but the probes, and the time of the
/// routes that stream for as long as a client likes says nothing.
package struct Tally: Equatable, Sendable {
  /// When the process began, in Unix seconds; nil if it does not say.
  package var startTime: Double?
  /// By the labels of their series.
  var requests: [String: Double] = [:]
  var failures: [String: Double] = [:]
  var buckets: [Bucket: Double] = [:]

  struct Bucket: Hashable {
    /// The labels but `le`.
    let series: String
    let upperBound: Double
  }

  static let probes: Set = ["/api/health", "/api/metrics"]
  static let streams: Set = [
    "/api/gardens/{id}/events", "/api/users/me/export", "/api/users/me/import", "/api/devices/{id}/history",
  ]

  init(startTime: Double? = nil) { self.startTime = startTime }

  /// Reads a server's exposition. Throws a description of what is wrong with it.
  package init(exposition: [UInt8]) throws(Unreadable) {
    let counter = "http_requests_total", duration = "http_request_duration_seconds_bucket"
    let start = "process_start_time_seconds"
    let samples: [TextExposition.Sample]
    do throws(TextExposition.Malformed) {
      samples = try TextExposition.samples(exposition) { $0 == counter || $0 == duration || $0 == start }
    } catch {
      throw Unreadable(description: "\(error)")
    }
    var isTerroir = false
    for sample in samples {
      if sample.name == start { startTime = sample.value }
      guard let route = sample[label: "route"] else { continue }
      isTerroir = isTerroir || sample.name == counter
      guard route.hasPrefix("/api/"), !Self.probes.contains(route), sample.value.isFinite else { continue }
      if sample.name == counter {
        let series = Self.series(sample)
        requests[series] = sample.value
        if sample[label: "status_class"] == "5xx" { failures[series] = sample.value }
      } else if let bound = sample[label: "le"], !Self.streams.contains(route) {
        guard let upperBound = bound == "+Inf" ? .infinity : Double(bound) else { continue }
        buckets[Bucket(series: Self.series(sample), upperBound: upperBound)] = sample.value
      }
    }
    guard isTerroir else { throw Unreadable(description: "these are not metrics of terroir: \(counter) is missing") }
  }

  /// Metrics that say nothing.
  package struct Unreadable: Error, CustomStringConvertible {
    package let description: String
  }

  private static func series(_ sample: TextExposition.Sample) -> String {
    sample.labels.filter { $0.name != "le" }.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
  }

  /// The traffic since an earlier tally. A series that has fallen began anew at zero, and so did one that is new.
  package func since(_ earlier: Tally) -> Traffic {
    var traffic = Traffic()
    for (series, count) in requests { traffic.requests += Self.rise(earlier.requests[series], count) }
    for (series, count) in failures { traffic.failures += Self.rise(earlier.failures[series], count) }
    for (bucket, count) in buckets {
      traffic.latencies[bucket.upperBound, default: 0] += Self.rise(earlier.buckets[bucket], count)
    }
    return traffic
  }

  /// All traffic since the server's start.
  package var all: Traffic { since(Tally()) }

  private static func rise(_ earlier: Double?, _ count: Double) -> Double {
    guard let earlier, count >= earlier else { return count }
    return count - earlier
  }
}
