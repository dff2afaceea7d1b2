/// Requests of a stretch of time, and how they went.
package struct Traffic: Equatable, Sendable {
  /// Answered, or left without an answer.
  package var requests = 0.0
  /// Answered by 5xx, or left without an answer.
  package var failures = 0.0
  /// How many requests took no longer than a bound, by that bound in seconds: each bucket holds those below it too.
  package var latencies: [Double: Double] = [:]

  package init(requests: Double = 0, failures: Double = 0, latencies: [Double: Double] = [:]) {
    self.requests = requests
    self.failures = failures
    self.latencies = latencies
  }

  /// The share that failed; 0 without requests.
  package var errorRatio: Double { requests > 0 ? failures / requests : 0 }

  /// The time that 95 % of the requests kept below, in seconds, as `histogram_quantile` has it: by a straight line
  /// within a bucket. Infinite above the last bound, nil without requests.
  package var p95: Double? {
    let bounds = latencies.keys.sorted()
    guard let last = bounds.last, let count = latencies[last], count > 0 else { return nil }
    let rank = 0.95 * count
    var (lower, below) = (0.0, 0.0)
    for bound in bounds {
      let upTo = latencies[bound] ?? 0
      if upTo >= rank {
        return bound.isFinite ? lower + (bound - lower) * (rank - below) / (upTo - below) : .infinity
      }
      (lower, below) = (bound, upTo)
    }
    return .infinity
  }

  /// Adds requests and failures; the latencies stay as they are.
  mutating func add(_ other: Traffic) {
    requests += other.requests
    failures += other.failures
  }

  /// The requests and failures that are left without `other`, which may have counted some of them a moment earlier or
  /// later. No latencies: those of `other` cannot be told apart.
  func without(_ other: Traffic) -> Traffic {
    let failures = max(0, failures - other.failures)
    return Traffic(requests: max(failures, requests - other.requests), failures: failures)
  }

  /// Counts requests that were sent and never answered, of which the server knows nothing.
  package mutating func addUnanswered(_ count: Int) {
    requests += Double(count)
    failures += Double(count)
  }
}
