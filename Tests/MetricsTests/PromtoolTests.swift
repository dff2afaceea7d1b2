import Glibc
import Testing

@testable import Metrics

/// Prometheus' own check of the text format, where its tool is installed.
@Suite("promtool", .enabled(if: access("/usr/bin/promtool", X_OK) == 0))
struct PromtoolTests {
  /// Whether `promtool check metrics` has neither an error nor advice.
  private func passes(_ text: String) throws -> Bool {
    let promtool = try #require(popen("/usr/bin/promtool check metrics >/dev/null 2>&1", "w"))
    fputs(text, promtool)
    return pclose(promtool) == 0
  }

  @Test("has no objection to what a registry writes")
  func checkMetrics() throws {
    let registry = Registry(shards: 2)
    registry.collect(ProcessCollector())
    let labels = ["method", "route"]
    let requests = registry.counter("http_requests_total", help: "A \"help\",\nwith \\.", labels: labels)
    let duration = registry.histogram(
      "http_request_duration_seconds", help: "Duration.", labels: labels, buckets: [0.00001, 0.5, 1, 1e9])
    _ = registry.gauge("dependency_up", help: "Up.", labels: ["name"])
    registry.gauge("tray_ratio", help: "Share.") { .nan }
    for shard in 0..<2 {
      requests.child(shard: shard, "GET", "a\\b\"c\nd\té{},=").increment()
      duration.child(shard: shard, "GET", "/").observe(0.3)
    }
    #expect(try passes(scrape(registry)))
  }

  @Test("objects to a faulty name")
  func wouldFail() throws {
    #expect(try !passes("# HELP requests Requests.\n# TYPE requests counter\nrequests 1\n"))
  }
}
