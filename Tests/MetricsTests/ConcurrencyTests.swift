import Synchronization
import Testing

@testable import Metrics

@Suite("Threads")
struct ConcurrencyTests {
  static let shards = 4
  static let rounds = 20_000

  @Test("lose nothing that one thread for each shard records while others scrape")
  func recordUnderScrape() {
    let registry = Registry(shards: Self.shards)
    let counter = registry.counter(
      "readings_total", help: "Readings.", labels: ["device_id", "sensor_type"], maximumSeries: 60,
      maximumValues: ["device_id": 10])
    let gauge = registry.gauge("open_connections", help: "Connections.")
    let histogram = registry.histogram("wait_seconds", help: "Wait.", buckets: [0.1, 1], exemplars: true)
    let running = Atomic<Int>(Self.shards)

    onThreads(Self.shards + 2) { thread in
      if thread >= Self.shards {
        while running.load(ordering: .acquiring) > 0 { checkScrape(registry) }
        return
      }
      let open = gauge.child(shard: thread)
      let wait = histogram.child(shard: thread)
      for round in 0..<Self.rounds {
        // Each shard is first to use some values: eight devices beyond their cap, and enough types for the family's.
        counter.child(shard: thread, "\((round + thread) % 18)", "\(round % 11)").increment()
        open.add()
        if round % 2 == 1 { open.subtract() }
        let trace = UInt64(round) &* 0x9e37_79b9_7f4a_7c15
        wait.observe(1, exemplar: Exemplar(traceHigh: trace, traceLow: ~trace, unixMilliseconds: Int64(round)))
      }
      running.subtract(1, ordering: .releasing)
    }

    let text = scrape(registry)
    let total = Self.shards * Self.rounds
    let readings = lines(of: "readings_total", text)
    #expect(readings.count == 61)
    #expect(readings.map(number).reduce(0, +) == total)
    #expect(lines(of: "open_connections", text) == ["open_connections \(total / 2)"])
    #expect(lines(of: "wait_seconds_count", text) == ["wait_seconds_count \(total)"])
    #expect(lines(of: "wait_seconds_sum", text) == ["wait_seconds_sum \(total)"])
  }
}

private func number(_ line: String) -> Int { line.split(separator: " ").last.flatMap { Int($0) } ?? -1 }

/// Checks that buckets rise, and that no exemplar is a mix of two: the halves of its trace id must be complements.
private func checkScrape(_ registry: Registry) {
  let buckets = lines(of: "wait_seconds_bucket", scrape(registry, .openMetrics))
  let counts = buckets.map { line in line.split(separator: " ")[1] }.compactMap { Int($0) }
  #expect(counts == counts.sorted())
  for line in buckets {
    guard let start = line.firstRange(of: "trace_id=\"")?.upperBound else { continue }
    let digits = line[start...].prefix(32)
    #expect(UInt64(digits.prefix(16), radix: 16).map { ~$0 } == UInt64(digits.suffix(16), radix: 16))
  }
}
