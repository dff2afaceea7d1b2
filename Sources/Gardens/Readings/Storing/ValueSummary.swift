/// The values of one sensor, as a bucket summarizes them.
struct ValueSummary {
  var min = Double.infinity
  var max = -Double.infinity
  var sum = 0.0
  var count: Int64 = 0

  @inline(__always)
  mutating func add(_ value: Double) {
    min = Swift.min(min, value)
    max = Swift.max(max, value)
    sum += value
    count += 1
  }
}
