import Metrics
import Testing

@Suite("Reading metrics back")
struct ReadingTests {
  @Test("adds up a counter's shards and series, or those of one label value")
  func counters() {
    let registry = Registry(shards: 2)
    let family = registry.counter("requests_total", help: "Requests.", labels: ["route", "class"])
    family.child(shard: 0, "/a", "2xx").increment(by: 3)
    family.child(shard: 1, "/a", "2xx").increment(by: 4)
    family.child(shard: 1, "/b", "5xx").increment()
    #expect(family.total == 8)
    #expect(family.total(where: "class", is: "5xx") == 1)
    #expect(family.total(where: "route", is: "/a") == 7)
    #expect(family.total(where: "class", is: "4xx") == 0)
    #expect(family.total(where: "nothing", is: "5xx") == 0)
  }

  @Test("adds up a gauge's shards")
  func gauges() {
    let family = Registry(shards: 2).gauge("open", help: "Open.")
    family.child(shard: 0).add(5)
    family.child(shard: 1).subtract(2)
    #expect(family.total == 3)
  }

  @Test("returns a histogram's buckets, and what was added since an earlier reading")
  func histograms() {
    let family = Registry(shards: 2).histogram("seconds", help: "Time.", labels: ["a"], buckets: [1, 2, 4])
    family.child(shard: 0, "x").observe(0.5)
    family.child(shard: 1, "y").observe(2)
    let earlier = family.distribution
    #expect(earlier == Distribution(bounds: [1, 2, 4], counts: [1, 1, 0, 0]))
    family.child(shard: 1, "x").observe(3)
    family.child(shard: 0, "z").observe(9)
    #expect(family.distribution.since(earlier) == Distribution(bounds: [1, 2, 4], counts: [0, 0, 1, 1]))
  }

  @Test(
    "interpolates a quantile within its bucket, up to the last bound",
    arguments: [
      ([0, 0, 0, 0], 0.5, nil),
      ([10, 0, 0, 0], 0.5, 0.5),
      ([10, 0, 0, 0], 0, 0),
      ([0, 10, 0, 0], 0.5, 1.5),
      ([5, 0, 5, 0], 0.5, 1),
      ([5, 0, 5, 0], 0.75, 3),
      ([1, 1, 1, 1], 1, 4),
      ([0, 0, 0, 7], 0.5, 4),
    ] as [([UInt64], Double, Double?)])
  func quantiles(counts: [UInt64], share: Double, expected: Double?) {
    #expect(Distribution(bounds: [1, 2, 4], counts: counts).quantile(share) == expected)
  }
}
