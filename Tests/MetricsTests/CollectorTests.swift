import Glibc
import Testing

@testable import Metrics

@Suite("Collectors")
struct CollectorTests {
  struct Pools: Collector {
    let sizes: [(String, Double)]
    var descriptions: [FamilyDescription] {
      [
        FamilyDescription("pool_connections", help: "Connections.", kind: .gauge, labels: ["state"]),
        FamilyDescription("pool_waits_total", help: "Waits.", kind: .counter),
      ]
    }
    func collect(into samples: inout Samples) {
      for (state, size) in sizes { samples.add("pool_connections", state, value: size) }
    }
  }

  @Test("print HELP and TYPE even when they have no value")
  func empty() {
    let registry = Registry(shards: 1)
    registry.collect(Pools(sizes: []))
    #expect(
      scrape(registry).hasSuffix(
        """
        # HELP pool_connections Connections.
        # TYPE pool_connections gauge
        # HELP pool_waits_total Waits.
        # TYPE pool_waits_total counter

        """))
    #expect(scrape(registry, .openMetrics).hasSuffix("# TYPE pool_waits counter\n# EOF\n"))
  }

  @Test("have the values that they report for the same labels added up")
  func sums() {
    let registry = Registry(shards: 1)
    registry.collect(Pools(sizes: [("idle", 2), ("active", 1), ("idle", 3)]))
    #expect(
      lines(of: "pool_connections", scrape(registry))
        == [#"pool_connections{state="idle"} 5"#, #"pool_connections{state="active"} 1"#])
  }

  @Test("are held to the cap like any family")
  func cap() {
    let registry = Registry(shards: 1)
    registry.collect(Pools(sizes: (0..<1_500).map { ("\($0)", 1) }))
    let found = lines(of: "pool_connections", scrape(registry))
    #expect(found.count == 1_001)
    #expect(found.last == #"pool_connections{state="_other"} 500"#)
  }

  @Test("read a value at each scrape")
  func reading() {
    let registry = Registry(shards: 1)
    let source = registry.counter("source_total", help: "Source.").child(shard: 0)
    registry.counter("copy_total", help: "Copy.") { Double(source.cell.pointee.load(ordering: .relaxed)) }
    #expect(lines(of: "copy_total", scrape(registry)) == ["copy_total 0"])
    source.increment(by: 4)
    #expect(lines(of: "copy_total", scrape(registry)) == ["copy_total 4"])
  }

  @Test("describe the process by the conventional names")
  func process() throws {
    let registry = Registry(shards: 1)
    registry.collect(ProcessCollector())
    let text = scrape(registry)
    func value(_ name: String) -> Double {
      lines(of: name, text).first.flatMap { Double($0.dropFirst(name.count + 1)) } ?? -1
    }
    #expect(value("process_cpu_seconds_total") >= 0)
    #expect((1 << 20...1 << 34) ~= Int(value("process_resident_memory_bytes")))
    #expect(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"))
    #expect(value("process_virtual_memory_max_bytes") >= value("process_virtual_memory_bytes"))
    #expect(value("process_open_fds") >= 3)
    #expect(value("process_max_fds") >= value("process_open_fds"))
    #expect(value("process_threads") >= 1)
    let age = Double(time(nil)) - value("process_start_time_seconds")
    // The boot time is in whole seconds.
    #expect((-2...3_600) ~= age)
  }

  @Test("count the open descriptors")
  func descriptors() throws {
    let opened = (0..<200).map { _ in dup(0) }
    let count = try #require(ProcessStatus.openDescriptors())
    for descriptor in opened { close(descriptor) }
    // Not an equality, since other tests open descriptors at the same time.
    #expect(count >= 200)
    #expect(opened.allSatisfy { $0 >= 0 })
  }

  @Test("read the status of a command with blanks and parentheses in its name")
  func status() {
    let line = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 1250 250 13 14 15 16 7 18 987654 123456789 4321 1844 1 1\n"
    #expect(
      ProcessStatus.parse(Array(line.utf8))
        == ProcessStatus(
          userTicks: 1_250, systemTicks: 250, threads: 7, startTicks: 987_654, virtualBytes: 123_456_789,
          residentPages: 4_321))
    #expect(ProcessStatus.parse(Array("42 (a) S 1 2".utf8)) == nil)
    #expect(ProcessStatus.parse([]) == nil)
  }
}
