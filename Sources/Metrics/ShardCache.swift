/// Where a shard's cells of the series it has met are. Only the shard's thread touches it, hence there is no lock.
///
/// It is bounded as the family is: label values that a cap keeps out are never stored.
/// Invariant 3.
@usableFromInline final class ShardCache: @unchecked Sendable {
  private let table: SeriesTable
  /// From the cells of shard 0 to this shard's.
  private let offset: Int
  /// Counts what goes to `_other`.
  private let overflow: Counter?
  @exclusivity(unchecked) private var cells: [[String]: UnsafeMutablePointer<MetricCell>] = [:]
  /// By place of the label: all values that the label will ever have, once its cap is reached.
  @exclusivity(unchecked) private var closedValues: [Set<String>?] = []
  /// Whether there are cells for all that is not among `cells`: the family is full.
  @exclusivity(unchecked) private var isFull = false

  init(_ table: SeriesTable, shard: Int, overflow: Counter?) {
    self.table = table
    offset = shard * table.shardStride
    self.overflow = overflow
  }

  /// The cells of the series with these label values.
  @usableFromInline func cells(_ values: [String]) -> UnsafeMutablePointer<MetricCell> {
    if let found = cells[values] { return found }
    return resolve(values)
  }

  /// The cells for values that this shard has not met: asks the table unless it is known to have nothing.
  private func resolve(_ values: [String]) -> UnsafeMutablePointer<MetricCell> {
    table.check(values)
    let admitted = admitted(values)
    // Under the values themselves there is nothing. What is found under others goes to `_other`.
    if let other = (admitted == values ? nil : cells[admitted]) ?? (isFull ? cells[table.collapsed(admitted)] : nil) {
      overflow?.increment()
      return other
    }
    let series = ask(admitted)
    if series.values != values { overflow?.increment() }
    return series.cells + offset
  }

  private func ask(_ values: [String]) -> Series {
    switch table.resolve(values) {
    case .found(let series):
      remember(series)
      return series
    case .replaced(let series, let closed):
      closedValues = closed
      remember(series)
      return series
    case .full(let otherSeries, let all):
      for series in all { remember(series) }
      isFull = true
      remember(otherSeries)
      return otherSeries
    }
  }

  private func remember(_ series: Series) { cells[series.values] = series.cells + offset }

  /// The values, with `_other` for those that are known to be kept out.
  private func admitted(_ values: [String]) -> [String] {
    var admitted = values
    for (label, value) in values.enumerated() where value != SeriesTable.other {
      let isClosed = label < closedValues.count && closedValues[label].map { !$0.contains(value) } ?? false
      if isClosed || value.utf8.count > SeriesTable.maximumValueBytes { admitted[label] = SeriesTable.other }
    }
    return admitted
  }
}
