import Foundation
import Metrics
import Testing

@Suite("The library, as another package uses it")
struct LibraryTests {
  @Test("does what its page says")
  func example() throws {
    let registry = Registry(shards: 2)
    let requests = registry.counter(
      "shop_requests_total", help: "Requests that were served.", labels: ["route"], maximumValues: ["route": 50])
    let seconds = registry.histogram(
      "shop_request_duration_seconds", help: "How long requests took.", buckets: [0.005, 0.05, 0.5])

    // Once, where a thread is set up: the series that shard 0 writes.
    let baskets = requests.child(shard: 0, "/baskets")
    let durations = seconds.child(shard: 0)

    // For each request, on that thread: some loads and stores.
    baskets.increment()
    durations.observe(0.012)

    // For each scrape, on any thread.
    let format = ExpositionFormat.negotiated(accept: "text/plain")!
    var page: [UInt8] = []
    registry.render(format, into: &page)

    let text = String(decoding: page, as: UTF8.self)
    #expect(text.contains("\nshop_requests_total{route=\"/baskets\"} 1\n"))
    #expect(text.contains("\nshop_request_duration_seconds_bucket{le=\"0.05\"} 1\n"))
  }

  @Test("has on its page the example that runs here")
  func page() throws {
    let here = #filePath
    let root = here.dropLast("Tests/MetricsTests/LibraryTests.swift".count)
    let page = try String(contentsOfFile: root + "docs/metrics.md", encoding: .utf8)
    let example = try #require(page.components(separatedBy: "```swift\n").last?.components(separatedBy: "```").first)
    let source = try String(contentsOfFile: here, encoding: .utf8)
    let lines = example.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(source.contains(lines.map { $0.isEmpty ? "" : "    " + $0 }.joined(separator: "\n")))
  }
}
