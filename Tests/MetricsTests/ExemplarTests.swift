import Testing

@testable import Metrics

@Suite("Exemplars")
struct ExemplarTests {
  let registry = Registry(shards: 2)

  func exemplar(_ low: UInt64, at milliseconds: Int64) -> Exemplar {
    Exemplar(traceHigh: 0x4bf9_2f35_77b3_4da6, traceLow: low, unixMilliseconds: milliseconds)
  }

  @Test("are written with their bucket in OpenMetrics, and not in the text format")
  func format() {
    let family = registry.histogram("wait_seconds", help: "Wait.", buckets: [0.1, 1], exemplars: true)
    family.child(shard: 0).observe(0.43, exemplar: exemplar(0xa3ce_929d_0e0e_4736, at: 1_700_000_000_042))
    #expect(
      lines(of: "wait_seconds_bucket", scrape(registry, .openMetrics)) == [
        #"wait_seconds_bucket{le="0.1"} 0"#,
        #"wait_seconds_bucket{le="1.0"} 1 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.43 1700000000.042"#,
        #"wait_seconds_bucket{le="+Inf"} 1"#,
      ])
    #expect(!scrape(registry).contains("trace_id"))
  }

  @Test("are the newest of all shards, by bucket")
  func newest() {
    let family = registry.histogram("wait_seconds", help: "Wait.", buckets: [1], exemplars: true)
    family.child(shard: 1).observe(0.3, exemplar: exemplar(3, at: 3_000))
    family.child(shard: 0).observe(0.1, exemplar: exemplar(1, at: 1_000))
    family.child(shard: 0).observe(0.2, exemplar: exemplar(2, at: 2_000))
    family.child(shard: 0).observe(5, exemplar: exemplar(5, at: 500))
    let found = lines(of: "wait_seconds_bucket", scrape(registry, .openMetrics))
    #expect(found[0].hasSuffix(##" 3 # {trace_id="4bf92f3577b34da60000000000000003"} 0.3 3.000"##))
    #expect(found[1].hasSuffix(##" 4 # {trace_id="4bf92f3577b34da60000000000000005"} 5 0.500"##))
  }

  @Test("are not kept by a family that did not ask for them")
  func notKept() {
    let family = registry.histogram("wait_seconds", help: "Wait.", buckets: [1])
    family.child(shard: 0).observe(0.3, exemplar: exemplar(3, at: 3_000))
    #expect(!scrape(registry, .openMetrics).contains("trace_id"))
    #expect(lines(of: "wait_seconds_count", scrape(registry)) == ["wait_seconds_count 1"])
  }
}
