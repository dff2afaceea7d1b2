extension FamilyDescription {
  /// Writes HELP and TYPE, and UNIT where OpenMetrics has it.
  func writeHeader(_ format: ExpositionFormat, into output: inout [UInt8]) {
    let name = format == .openMetrics ? openMetricsName : name
    output.append(contentsOf: "# HELP \(name) ".utf8)
    output.append(help: help, format)
    output.append(contentsOf: "\n# TYPE \(name) \(kind.rawValue)\n".utf8)
    if format == .openMetrics, let unit { output.append(contentsOf: "# UNIT \(name) \(unit)\n".utf8) }
  }
}

extension [UInt8] {
  /// Writes `{a="1"} `, or only the blank when there are no labels.
  mutating func append(labels: [UInt8]) {
    if !labels.isEmpty {
      append(UInt8(ascii: "{"))
      append(contentsOf: labels)
      append(UInt8(ascii: "}"))
    }
    append(UInt8(ascii: " "))
  }
}

extension SeriesTable {
  /// Writes the lines of one series, with the shards added up. `scratch` is room to work in.
  func write(_ series: Series, _ format: ExpositionFormat, _ scratch: inout [UInt8], into output: inout [UInt8]) {
    switch shape {
    case .counter:
      writeName("", series.labelText, into: &output)
      output.append(digits: total(series, 0))
    case .gauge:
      writeName("", series.labelText, into: &output)
      output.append(number: sum(series, 0))
    case .histogram(let shape):
      return write(series, shape, format, &scratch, into: &output)
    }
    output.append(UInt8(ascii: "\n"))
  }

  private func writeName(_ suffix: StaticString, _ labels: [UInt8], into output: inout [UInt8]) {
    output.append(contentsOf: description.name.utf8)
    suffix.withUTF8Buffer { output.append(contentsOf: $0) }
    output.append(labels: labels)
  }

  private func write(
    _ series: Series, _ shape: HistogramShape, _ format: ExpositionFormat, _ prefix: inout [UInt8],
    into output: inout [UInt8]
  ) {
    prefix.removeAll(keepingCapacity: true)
    prefix.append(contentsOf: description.name.utf8)
    prefix.append(contentsOf: "_bucket{".utf8)
    prefix.append(contentsOf: series.labelText)
    if !series.labelText.isEmpty { prefix.append(UInt8(ascii: ",")) }
    var count: UInt64 = 0
    for bucket in 0..<shape.bucketCount {
      count &+= total(series, bucket)
      output.append(contentsOf: prefix)
      output.append(contentsOf: shape.labels[bucket])
      output.append(digits: count)
      if format == .openMetrics, shape.keepsExemplars { writeExemplar(series, shape, bucket, into: &output) }
      output.append(UInt8(ascii: "\n"))
    }
    writeName("_sum", series.labelText, into: &output)
    output.append(number: sum(series, shape.sumIndex))
    output.append(UInt8(ascii: "\n"))
    writeName("_count", series.labelText, into: &output)
    output.append(digits: count)
    output.append(UInt8(ascii: "\n"))
  }

  /// Writes the newest exemplar of a bucket in any shard, if there is one: ` # {trace_id="…"} 0.067 1700000000.123`.
  private func writeExemplar(
    _ series: Series, _ shape: HistogramShape, _ bucket: Int, into output: inout [UInt8]
  ) {
    let offset = shape.sumIndex + 1 + bucket * ExemplarSlot.cellCount
    var newest: (exemplar: Exemplar, value: Double)?
    for shard in 0..<shards {
      guard let next = ExemplarSlot(cells: series.cells + shard * shardStride + offset).read() else { continue }
      if let current = newest, current.exemplar.unixMilliseconds >= next.exemplar.unixMilliseconds { continue }
      newest = next
    }
    guard let (exemplar, value) = newest else { return }
    output.append(contentsOf: " # {trace_id=\"".utf8)
    output.append(hexadecimal: exemplar.traceHigh)
    output.append(hexadecimal: exemplar.traceLow)
    output.append(contentsOf: "\"} ".utf8)
    output.append(number: value)
    output.append(UInt8(ascii: " "))
    output.append(seconds: exemplar.unixMilliseconds)
  }

  /// The sum over the shards of a cell that holds an integer.
  func total(_ series: Series, _ index: Int) -> UInt64 {
    var total: UInt64 = 0
    for shard in 0..<shards {
      total &+= (series.cells + shard * shardStride + index).pointee.load(ordering: .relaxed)
    }
    return total
  }

  /// The sum over the shards of a cell that holds a floating-point number.
  func sum(_ series: Series, _ index: Int) -> Double {
    var sum = 0.0
    for shard in 0..<shards {
      let cell = series.cells + shard * shardStride + index
      sum += Double(bitPattern: cell.pointee.load(ordering: .relaxed))
    }
    return sum
  }
}
