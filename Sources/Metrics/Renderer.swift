/// One scrape, written in slices so that an event loop can do other work in between.
///
/// ```swift
/// var renderer = registry.renderer(.openMetrics)
/// while renderer.next(into: &output, maximumBytes: 64 << 10) { /* send, let others run */ }
/// ```
/// Values are read when their line is written. Series that are made after their family was begun wait for the next
/// scrape.
public struct Renderer: Sendable {
  /// The format that is written.
  public let format: ExpositionFormat
  private let sources: [Source]
  private var source = 0
  private var series: [Series] = []
  /// The position of the next of `series`; nil before the source's header is written.
  private var position: Int?
  private var scratch: [UInt8] = []
  private var isFinished = false

  init(_ sources: [Source], _ format: ExpositionFormat) {
    self.sources = sources
    self.format = format
  }

  /// Appends the next slice; returns whether there is more.
  ///
  /// A slice ends with the series, or the collector, that brings it to `maximumBytes`.
  public mutating func next(into output: inout [UInt8], maximumBytes: Int = .max) -> Bool {
    if isFinished { return false }
    let (limit, isUnlimited) = output.count.addingReportingOverflow(max(maximumBytes, 1))
    repeat {
      guard source < sources.count else {
        if format == .openMetrics { output.append(contentsOf: "# EOF\n".utf8) }
        isFinished = true
        return false
      }
      advance(into: &output, limit: isUnlimited ? .max : limit)
    } while isUnlimited || output.count < limit
    return true
  }

  private mutating func advance(into output: inout [UInt8], limit: Int) {
    switch sources[source] {
    case .table(let table):
      if position == nil {
        table.description.writeHeader(format, into: &output)
        series = table.series
      }
      var next = position ?? 0
      while next < series.count, output.count < limit {
        table.write(series[next], format, &scratch, into: &output)
        next += 1
      }
      if next < series.count { position = next } else { leaveSource() }
    case .collector(let collector, let descriptions):
      var samples = Samples(descriptions)
      collector.collect(into: &samples)
      samples.write(format, into: &output)
      leaveSource()
    }
  }

  private mutating func leaveSource() {
    source += 1
    position = nil
    series = []
  }
}
