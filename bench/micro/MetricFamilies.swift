import HTTP
import Metrics
import Web

extension Benchmark {
  /// Metrics: everything that a request records, labels looked up in place, and a large scrape.
  static let metrics = [
    Benchmark("metrics-record-request", iterations: 100_000) {
      let instruments = Instruments(shards: 1)
      let route = RouteInstruments(instruments, shard: 0, route: "/api/gardens/{id}")
      let active = instruments.requests.activeConnections.child(shard: 0)
      let responseTime = instruments.requests.responseTime.child(shard: 0)
      route.record(.get, .notFound, seconds: 0.001, exemplar: nil)
      return { count in
        for turn in 0..<count {
          let seconds = Double(turn & 1023) * 0.001
          active.add(1)
          active.subtract(1)
          route.record(.get, .ok, seconds: seconds, exemplar: nil)
          responseTime.observe(seconds)
        }
      }
    },
    Benchmark("metrics-look-up", iterations: 5_000) {
      let family = Registry(shards: 1).counter("looked_up_total", help: "Looked up.", labels: ["statement", "result"])
      let statements = (0..<16).map { "statement \($0)" }
      return { count in
        for turn in 0..<count { family.child(shard: 0, statements[turn & 15], "hit").increment() }
      }
    },
    Benchmark("metrics-render-10000-series", iterations: 4) {
      let registry = Registry(shards: 1)
      let family = registry.counter(
        "iot_sensor_readings_total", help: "Readings.", labels: ["sensor_type", "device_id", "status"],
        maximumSeries: 10_000)
      for index in 0..<10_000 {
        family.child(shard: 0, "soil_moisture", "0193a1f2-6c5e-7b1a-9d3f-\(100_000_000_000 + index)", "accepted")
          .increment(by: UInt64(index))
      }
      return { count in
        for _ in 0..<count {
          var output: [UInt8] = []
          registry.render(.text, into: &output)
          precondition(output.count > 1_000_000)
        }
      }
    },
  ]
}
