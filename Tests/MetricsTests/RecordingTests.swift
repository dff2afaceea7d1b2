import Testing

@testable import Metrics

@Suite("Recording")
struct RecordingTests {
  @Test("adds up the shards of a counter")
  func counter() {
    let registry = Registry(shards: 4)
    let family = registry.counter("orders_created_total", help: "Orders.", labels: ["status"])
    for shard in 0..<4 { family.child(shard: shard, "pending").increment(by: UInt64(shard + 1)) }
    family.child(shard: 2, "paid").increment()
    #expect(
      lines(of: "orders_created_total", scrape(registry))
        == [#"orders_created_total{status="pending"} 10"#, #"orders_created_total{status="paid"} 1"#])
  }

  @Test("adds up the shards of a gauge, which may be below zero in one of them")
  func gauge() {
    let registry = Registry(shards: 3)
    let family = registry.gauge("user_sessions_active", help: "Sessions.")
    family.child(shard: 0).add(5)
    family.child(shard: 1).subtract(2)
    family.child(shard: 2).set(7)
    family.child(shard: 2).set(0.5)
    #expect(lines(of: "user_sessions_active", scrape(registry)) == ["user_sessions_active 3.5"])
  }

  @Test("returns the same cells each time for the same label values")
  func sameChild() {
    let registry = Registry(shards: 2)
    let family = registry.counter("steps_total", help: "Steps.", labels: ["name", "kind"])
    family.child(shard: 0, "a", "b").increment()
    family.child(shard: 0, ["a", "b"]).increment()
    #expect(lines(of: "steps_total", scrape(registry)) == [#"steps_total{name="a",kind="b"} 2"#])
  }

  @Test("keeps label values apart that would be equal when joined")
  func ambiguousValues() {
    let registry = Registry(shards: 1)
    let family = registry.counter("steps_total", help: "Steps.", labels: ["name", "kind"])
    for values in [["a,b", "c"], ["a", "b,c"], ["ab", ""], ["", "ab"], ["a\u{0}", "b"], ["a", "\u{0}b"]] {
      family.child(shard: 0, values).increment()
    }
    let found = lines(of: "steps_total", scrape(registry))
    #expect(found.count == 6)
    #expect(found.allSatisfy { $0.hasSuffix(" 1") })
  }

  @Test(
    "puts an observation into the first bucket whose bound is not below it",
    arguments: [
      (0.0, 0), (0.1, 0), (0.1.nextUp, 1), (0.5, 1), (0.500001, 2), (2, 2), (2.1, 3), (1e300, 3),
    ])
  func buckets(value: Double, bucket: Int) {
    let registry = Registry(shards: 1)
    let family = registry.histogram("wait_seconds", help: "Wait.", buckets: [0.1, 0.5, 2])
    family.child(shard: 0).observe(value)
    let counts = lines(of: "wait_seconds_bucket", scrape(registry)).map { $0.hasSuffix(" 1") }
    #expect(counts == (0..<4).map { $0 >= bucket })
  }

  @Test(
    "ignores observations that are not durations",
    arguments: [-1, -.leastNonzeroMagnitude, .nan, .infinity] as [Double])
  func noDuration(value: Double) {
    let registry = Registry(shards: 1)
    let child = registry.histogram("wait_seconds", help: "Wait.", buckets: [1], exemplars: true).child(shard: 0)
    child.observe(value)
    child.observe(value, exemplar: Exemplar(traceHigh: 1, traceLow: 2, unixMilliseconds: 3))
    let text = scrape(registry, .openMetrics)
    #expect(lines(of: "wait_seconds_count", text) == ["wait_seconds_count 0"])
    #expect(lines(of: "wait_seconds_sum", text) == ["wait_seconds_sum 0"])
  }

  @Test("still records when its registry is gone")
  func outlivesRegistry() {
    func child() -> Counter { Registry(shards: 1).counter("steps_total", help: "Steps.").child(shard: 0) }
    let counter = child()
    counter.increment()
    #expect(counter.cell.pointee.load(ordering: .relaxed) == 1)
  }

  @Test("keeps the cells of different shards on different cache lines")
  func falseSharing() {
    let registry = Registry(shards: 3)
    let family = registry.histogram("wait_seconds", help: "Wait.", labels: ["name"], buckets: [1, 2])
    var lines: [Int: Set<Int>] = [:]
    for index in 0..<40 {
      for shard in 0..<3 {
        let cells = family.child(shard: shard, "\(index)").cells
        for cell in 0..<4 { lines[Int(bitPattern: cells + cell) / 128, default: []].insert(shard) }
      }
    }
    #expect(lines.values.allSatisfy { $0.count == 1 })
  }
}
