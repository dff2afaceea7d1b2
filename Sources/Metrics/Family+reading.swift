// Reads what was recorded, for a program that shows its own figures. It walks over all series: not for a hot path.

extension Family where Instrument == Counter {
  /// The sum of all series; may be asked from any thread.
  public var total: UInt64 { table.series.reduce(0) { $0 &+ table.total($1, 0) } }

  /// The sum of the series whose `label` is `value`, or 0 if there is no such label; may be asked from any thread.
  public func total(where label: String, is value: String) -> UInt64 {
    guard let place = table.description.labels.firstIndex(of: label) else { return 0 }
    return table.series.reduce(0) { $1.values[place] == value ? $0 &+ table.total($1, 0) : $0 }
  }
}

extension Family where Instrument == Gauge {
  /// The sum of all series; may be asked from any thread.
  public var total: Double { table.series.reduce(0) { $0 + table.sum($1, 0) } }
}

extension Family where Instrument == Histogram {
  /// The buckets of all series added up; may be asked from any thread.
  public var distribution: Distribution {
    guard case .histogram(let shape) = table.shape else { preconditionFailure("a histogram has a histogram's shape") }
    let all = table.series
    return Distribution(
      bounds: (0..<shape.boundCount).map { shape.index.pointee.bounds[$0] },
      counts: (0..<shape.bucketCount).map { bucket in all.reduce(0) { $0 &+ table.total($1, bucket) } })
  }
}
