import Testing

@testable import Metrics

@Suite("Exposition")
struct ExpositionTests {
  static let overflowText = """
    # HELP metrics_series_overflow_total Label sets counted under _other because their family was full.
    # TYPE metrics_series_overflow_total counter

    """
  static let overflowOpenMetrics = """
    # HELP metrics_series_overflow Label sets counted under _other because their family was full.
    # TYPE metrics_series_overflow counter

    """

  @Test("prints HELP and TYPE before any sample exists")
  func header() {
    let registry = Registry(shards: 1)
    _ = registry.counter("orders_created_total", help: "Orders.", labels: ["status"])
    #expect(
      scrape(registry) == Self.overflowText + """
        metrics_series_overflow_total{family="orders_created_total"} 0
        # HELP orders_created_total Orders.
        # TYPE orders_created_total counter

        """)
  }

  @Test("names a counter's family without _total in OpenMetrics, and ends with # EOF")
  func openMetricsCounter() {
    let registry = Registry(shards: 1)
    let family = registry.counter("process_cpu_seconds_total", help: "CPU.")
    family.child(shard: 0).increment(by: 7)
    #expect(
      scrape(registry, .openMetrics) == Self.overflowOpenMetrics + """
        # HELP process_cpu_seconds CPU.
        # TYPE process_cpu_seconds counter
        # UNIT process_cpu_seconds seconds
        process_cpu_seconds_total 7
        # EOF

        """)
  }

  @Test("prints a counter or gauge without labels at zero from the start")
  func zero() {
    let registry = Registry(shards: 3)
    _ = registry.counter("users_registered_total", help: "Users.")
    _ = registry.gauge("active_connections", help: "Connections.")
    let text = scrape(registry)
    #expect(lines(of: "users_registered_total", text) == ["users_registered_total 0"])
    #expect(lines(of: "active_connections", text) == ["active_connections 0"])
  }

  @Test("prints buckets cumulatively, then the sum and the count")
  func histogram() {
    let registry = Registry(shards: 2)
    let family = registry.histogram(
      "http_request_duration_seconds", help: "Duration.", labels: ["route"], buckets: [0.005, 0.25, 1])
    family.child(shard: 0, "/").observe(0.005)
    family.child(shard: 0, "/").observe(0.2)
    family.child(shard: 1, "/").observe(0.5)
    family.child(shard: 1, "/").observe(9)
    let expected = """
      # HELP http_request_duration_seconds Duration.
      # TYPE http_request_duration_seconds histogram
      http_request_duration_seconds_bucket{route="/",le="0.005"} 1
      http_request_duration_seconds_bucket{route="/",le="0.25"} 2
      http_request_duration_seconds_bucket{route="/",le="1.0"} 3
      http_request_duration_seconds_bucket{route="/",le="+Inf"} 4
      http_request_duration_seconds_sum{route="/"} 9.705
      http_request_duration_seconds_count{route="/"} 4

      """
    #expect(scrape(registry).hasSuffix(expected))
  }

  @Test("prints a histogram without labels with le alone")
  func plainHistogram() {
    let registry = Registry(shards: 1)
    _ = registry.histogram("wait_seconds", help: "Wait.", buckets: [1])
    #expect(
      scrape(registry).hasSuffix(
        """
        wait_seconds_bucket{le="1.0"} 0
        wait_seconds_bucket{le="+Inf"} 0
        wait_seconds_sum 0
        wait_seconds_count 0

        """))
  }

  @Test("escapes label values alike in both formats", arguments: [ExpositionFormat.text, .openMetrics])
  func labelEscaping(format: ExpositionFormat) {
    let registry = Registry(shards: 1)
    let family = registry.gauge("build_info", help: "Build.", labels: ["version", "revision"])
    family.child(shard: 0, "a\\b\"c\nd", "ünï,=}{").set(1)
    #expect(
      lines(of: "build_info", scrape(registry, format))
        == [#"build_info{version="a\\b\"c\nd",revision="ünï,=}{"} 1"#])
  }

  @Test("escapes a quote in HELP only in OpenMetrics")
  func helpEscaping() {
    let registry = Registry(shards: 1)
    _ = registry.gauge("tray_ratio", help: "A \"quoted\"\nback\\slash.")
    #expect(scrape(registry).contains("# HELP tray_ratio A \"quoted\"\\nback\\\\slash.\n"))
    #expect(scrape(registry, .openMetrics).contains("# HELP tray_ratio A \\\"quoted\\\"\\nback\\\\slash.\n"))
    #expect(scrape(registry, .openMetrics).contains("# UNIT tray_ratio ratio\n"))
  }

  @Test(
    "writes numbers in a form that both formats accept",
    arguments: [
      (0.0, "0"), (-0.0, "0"), (3, "3"), (-17, "-17"), (0.1, "0.1"), (-2.5, "-2.5"), (.nan, "NaN"),
      (.infinity, "+Inf"), (-.infinity, "-Inf"), (999_999_999_999_999, "999999999999999"), (1e15, "1000000000000000"),
      (0x1p53, "9007199254740992.0"), (1e16, "1e+16"),
      (1.8446744073709552e19, "1.8446744073709552e+19"), (1e-7, "1e-07"), (1_700_000_000.25, "1700000000.25"),
    ])
  func numbers(value: Double, expected: String) {
    let registry = Registry(shards: 1)
    registry.gauge("tray_temperature_celsius", help: "Heat.", reading: { value })
    #expect(
      lines(of: "tray_temperature_celsius", scrape(registry)) == ["tray_temperature_celsius \(expected)"])
  }

  @Test("writes integers up to the largest", arguments: [0, 9, 10, 99, 100, 12_345_678_901, UInt64.max])
  func integers(value: UInt64) {
    let registry = Registry(shards: 1)
    registry.counter("parcels_total", help: "Parcels.").child(shard: 0).increment(by: value)
    #expect(lines(of: "parcels_total", scrape(registry)) == ["parcels_total \(value)"])
  }

  @Test("writes the same in slices of any size as at once", arguments: [0, 1, 7, 100, 1_000, 100_000])
  func slices(maximumBytes: Int) {
    let registry = Registry(shards: 2)
    let counter = registry.counter("steps_total", help: "Steps.", labels: ["name"])
    let histogram = registry.histogram("step_seconds", help: "Time.", labels: ["name"], buckets: [0.1, 1])
    registry.gauge("step_ratio", help: "Share.", reading: { 0.5 })
    for index in 0..<40 {
      counter.child(shard: index % 2, "\(index)").increment(by: UInt64(index))
      histogram.child(shard: index % 2, "\(index)").observe(Double(index) / 40)
    }
    var renderer = registry.renderer(.openMetrics)
    var whole: [UInt8] = []
    var slices = 0
    var hasMore = true
    while hasMore {
      var slice: [UInt8] = []
      hasMore = renderer.next(into: &slice, maximumBytes: maximumBytes)
      // A slice may exceed the bound by the header and the series that reached it.
      #expect(slice.count < maximumBytes + 500)
      whole += slice
      slices += 1
    }
    #expect(String(decoding: whole, as: UTF8.self) == scrape(registry, .openMetrics))
    #expect(slices > whole.count / (maximumBytes + 500))
    hasMore = renderer.next(into: &whole)
    #expect(!hasMore)
  }
}
