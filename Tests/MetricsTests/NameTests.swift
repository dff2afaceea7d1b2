import Testing

@testable import Metrics

@Suite("Names")
struct NameTests {
  @Test(
    "accepts names that follow the rules",
    arguments: [
      ("http_requests_total", .counter), ("http_request_duration_seconds", .histogram), ("build_info", .gauge),
      ("active_connections", .gauge), ("ai_insights_generated_total", .counter), ("revenue_total", .counter),
      ("process_cpu_seconds_total", .counter), ("event_loop_lag_seconds", .histogram), ("_x", .gauge),
      ("orders_created_total", .counter),
    ] as [(String, MetricKind)])
  func goodNames(name: String, kind: MetricKind) {
    #expect(MetricName.fault(in: name, kind: kind) == nil)
  }

  @Test(
    "refuses names that break them",
    arguments: [
      ("", .gauge), ("1st", .gauge), ("a-b", .gauge), ("a b", .gauge), ("a:b", .gauge), ("httpRequests", .gauge),
      ("grün", .gauge), ("__name", .gauge), ("requests", .counter), ("requests_total", .gauge),
      ("requests_total", .histogram), ("_total", .counter), ("requests__total", .counter), ("wait_count", .gauge),
      ("wait_sum", .gauge), ("wait_bucket", .gauge), ("wait_created", .gauge),
      ("wait_milliseconds", .histogram), ("wait_ms", .histogram), ("size_kilobytes", .gauge),
      ("request_counter_total", .counter), ("load_gauge", .gauge), (String(repeating: "x", count: 129), .gauge),
    ] as [(String, MetricKind)])
  func badNames(name: String, kind: MetricKind) {
    #expect(MetricName.fault(in: name, kind: kind) != nil)
  }

  @Test(
    "refuses labels that are reserved or malformed",
    arguments: ["le", "quantile", "__name__", "", "9x", "a-b", "statusCode", "größe"])
  func badLabels(label: String) {
    #expect(LabelName.fault(in: label) != nil)
    let registry = Registry(shards: 1)
    #expect(
      registry.fault(in: FamilyDescription("steps_total", help: "Steps.", kind: .counter, labels: [label])) != nil)
  }

  @Test("accepts labels that follow the rules", arguments: ["method", "status_code", "device_id", "le2", "_x"])
  func goodLabels(label: String) {
    #expect(LabelName.fault(in: label) == nil)
  }

  @Test("refuses a label twice, too many labels, and an empty help")
  func badDescriptions() {
    #expect(FamilyDescription("a", help: "A.", kind: .gauge, labels: ["x", "x"]).fault != nil)
    #expect(FamilyDescription("a", help: "A.", kind: .gauge, labels: (0..<17).map { "x\($0)" }).fault != nil)
    #expect(FamilyDescription("a", help: "", kind: .gauge).fault != nil)
    #expect(FamilyDescription("a", help: "A.", kind: .gauge, labels: (0..<16).map { "x\($0)" }).fault == nil)
  }

  @Test(
    "refuses a name that another family uses in either format",
    arguments: [
      ("jobs_total", .counter), ("jobs", .gauge), ("jobs", .histogram), ("wait_seconds", .gauge),
      ("wait_seconds_total", .counter), ("metrics_series_overflow", .gauge), ("process_threads", .gauge),
    ] as [(String, MetricKind)])
  func takenNames(name: String, kind: MetricKind) {
    let registry = Registry(shards: 1)
    _ = registry.counter("jobs_total", help: "Jobs.")
    _ = registry.histogram("wait_seconds", help: "Wait.", buckets: [1])
    registry.collect(ProcessCollector())
    #expect(registry.fault(in: FamilyDescription(name, help: "Help.", kind: kind))?.contains("is taken") == true)
  }

  @Test(
    "refuses bounds that do not rise, are infinite or negative, or are not 1 to 64",
    arguments: [[], [1, 1], [2, 1], [1, .infinity], [.nan], [-1, 1], (0..<65).map(Double.init)] as [[Double]])
  func badBuckets(bounds: [Double]) {
    #expect(HistogramShape.fault(in: bounds) != nil)
  }

  @Test("stops the program over a bad name")
  func badNameStops() async {
    await #expect(processExitsWith: .failure) {
      _ = Registry(shards: 1).counter("requests", help: "Requests.")
    }
  }

  @Test("stops the program over the wrong number of label values")
  func wrongLabelCountStops() async {
    await #expect(processExitsWith: .failure) {
      _ = Registry(shards: 1).counter("steps_total", help: "Steps.", labels: ["name"]).child(shard: 0, "a", "b")
    }
  }
}
