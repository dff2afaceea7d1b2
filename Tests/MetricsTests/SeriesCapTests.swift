import Testing

@testable import Metrics

@Suite("A family with caps")
struct SeriesCapTests {
  let registry = Registry(shards: 2)

  func overflow(_ family: String) -> [String] {
    lines(of: "metrics_series_overflow_total", scrape(registry)).filter { $0.contains("\"\(family)\"") }
  }

  @Test("counts what exceeds the family's cap under _other in every label")
  func familyCap() {
    let family = registry.counter("steps_total", help: "Steps.", labels: ["name", "kind"], maximumSeries: 2)
    for name in ["a", "b", "c", "d", "a", "c"] { family.child(shard: 0, name, "x").increment() }
    #expect(
      lines(of: "steps_total", scrape(registry)) == [
        #"steps_total{name="a",kind="x"} 2"#, #"steps_total{name="b",kind="x"} 1"#,
        #"steps_total{name="_other",kind="_other"} 3"#,
      ])
    #expect(overflow("steps_total") == [#"metrics_series_overflow_total{family="steps_total"} 3"#])
  }

  @Test("finds all its series from a shard that is used only when it is full")
  func fullFamilyOnAnotherShard() {
    let family = registry.counter("steps_total", help: "Steps.", labels: ["name"], maximumSeries: 2)
    for name in ["a", "b", "c"] { family.child(shard: 0, name).increment() }
    for name in ["c", "b", "a", "d"] { family.child(shard: 1, name).increment() }
    #expect(
      lines(of: "steps_total", scrape(registry)) == [
        #"steps_total{name="a"} 2"#, #"steps_total{name="b"} 2"#, #"steps_total{name="_other"} 3"#,
      ])
    #expect(overflow("steps_total") == [#"metrics_series_overflow_total{family="steps_total"} 3"#])
  }

  @Test("replaces only the values of a label that has reached its own cap")
  func labelCap() {
    let family = registry.counter(
      "iot_sensor_readings_total", help: "Readings.", labels: ["sensor_type", "device_id"],
      maximumValues: ["device_id": 2])
    for device in ["1", "2", "3", "3", "1"] { family.child(shard: 0, "ph", device).increment() }
    for device in ["4", "2"] { family.child(shard: 1, "rain", device).increment() }
    #expect(
      lines(of: "iot_sensor_readings_total", scrape(registry)) == [
        #"iot_sensor_readings_total{sensor_type="ph",device_id="1"} 2"#,
        #"iot_sensor_readings_total{sensor_type="ph",device_id="2"} 1"#,
        #"iot_sensor_readings_total{sensor_type="ph",device_id="_other"} 2"#,
        #"iot_sensor_readings_total{sensor_type="rain",device_id="_other"} 1"#,
        #"iot_sensor_readings_total{sensor_type="rain",device_id="2"} 1"#,
      ])
    #expect(
      overflow("iot_sensor_readings_total")
        == [#"metrics_series_overflow_total{family="iot_sensor_readings_total"} 3"#])
  }

  @Test("adds a new sensor of a known device when the devices are at their cap")
  func knownDevice() {
    let family = registry.counter(
      "readings_total", help: "Readings.", labels: ["sensor_type", "device_id"], maximumValues: ["device_id": 1])
    family.child(shard: 0, "ph", "1").increment()
    family.child(shard: 0, "ph", "2").increment()
    family.child(shard: 0, "rain", "1").increment()
    #expect(
      lines(of: "readings_total", scrape(registry)).last == #"readings_total{sensor_type="rain",device_id="1"} 1"#)
    #expect(overflow("readings_total") == [#"metrics_series_overflow_total{family="readings_total"} 1"#])
  }

  @Test("keeps the labels that alerts use when it is full, on every shard and within a bound")
  func keptLabels() {
    let family = registry.counter(
      "readings_total", help: "Readings.", labels: ["device_id", "status"], maximumSeries: 1, keptLabels: ["status"])
    for (shard, device) in [(0, "1"), (0, "2"), (1, "3")] {
      for status in ["accepted", "rejected"] { family.child(shard: shard, device, status).increment() }
    }
    #expect(
      lines(of: "readings_total", scrape(registry)) == [
        #"readings_total{device_id="1",status="accepted"} 1"#,
        #"readings_total{device_id="_other",status="rejected"} 3"#,
        #"readings_total{device_id="_other",status="accepted"} 2"#,
      ])
    for status in 0..<1_000 { family.child(shard: status % 2, "4", "\(status)").increment() }
    let found = lines(of: "readings_total", scrape(registry))
    #expect(found.count == 1 + SeriesTable.maximumOthers)
    #expect(found.contains { $0.hasPrefix(#"readings_total{device_id="_other",status="_other"} "#) })
    #expect(family.total == 1_006)
  }

  @Test("applies its own cap to what a label's cap has replaced")
  func bothCaps() {
    let family = registry.counter(
      "readings_total", help: "Readings.", labels: ["sensor_type", "device_id"], maximumSeries: 2,
      maximumValues: ["device_id": 1])
    for type in ["ph", "rain", "light"] { family.child(shard: 0, type, "1").increment() }
    for type in ["ph", "rain", "light"] { family.child(shard: 1, type, "2").increment() }
    #expect(
      lines(of: "readings_total", scrape(registry)) == [
        #"readings_total{sensor_type="ph",device_id="1"} 1"#, #"readings_total{sensor_type="rain",device_id="1"} 1"#,
        #"readings_total{sensor_type="_other",device_id="_other"} 4"#,
      ])
  }

  @Test("counts an over-long label value under _other")
  func longValue() {
    let family = registry.counter("steps_total", help: "Steps.", labels: ["name", "kind"])
    family.child(shard: 0, String(repeating: "x", count: 256), "a").increment()
    family.child(shard: 0, String(repeating: "x", count: 257), "a").increment()
    family.child(shard: 0, String(repeating: "y", count: 300), "a").increment()
    let found = lines(of: "steps_total", scrape(registry))
    #expect(found.count == 2)
    #expect(found.last == #"steps_total{name="_other",kind="a"} 2"#)
    #expect(overflow("steps_total") == [#"metrics_series_overflow_total{family="steps_total"} 2"#])
  }

  @Test("has one _other series, even where that is also a value of its own")
  func ownOther() {
    let family = registry.counter("steps_total", help: "Steps.", labels: ["name"], maximumSeries: 2)
    for name in ["_other", "a", "b", "c", "_other"] { family.child(shard: 0, name).increment() }
    #expect(
      lines(of: "steps_total", scrape(registry))
        == [#"steps_total{name="_other"} 4"#, #"steps_total{name="a"} 1"#])
  }
}
