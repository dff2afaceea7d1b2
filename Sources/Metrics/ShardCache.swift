/// One shard's cells of the series that it has met. Only the shard's thread touches it, so there is no lock.
///
/// It is bounded as the family is: label values that a cap keeps out are never stored.
/// Each cell has one writing thread (invariant 3 of ARCHITECTURE.md).
@usableFromInline final class ShardCache: @unchecked Sendable {
  private let table: SeriesTable
  /// The distance from the cells of shard 0 to this shard's, in cells.
  private let offset: Int
  /// Counts what goes to `_other`.
  private let overflow: Counter?
  @exclusivity(unchecked) private var cells: [[String]: UnsafeMutablePointer<MetricCell>] = [:]
  /// By position of the label: all values that it will ever have, once its cap is reached.
  @exclusivity(unchecked) private var closedValues: [Set<String>?] = []
  /// Whether the family is full: then `cells` has all its series, and other values are looked up under `_other`.
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

  /// Returns the cells for values that this shard has not met; asks the table unless the answer is known.
  private func resolve(_ values: [String]) -> UnsafeMutablePointer<MetricCell> {
    table.check(values)
    let admitted = admitted(values)
    // `cells` has nothing under `values` themselves; what it has under others is a series of `_other`.
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

  /// The values, with `_other` for those that are too long or known to be beyond their label's cap.
  private func admitted(_ values: [String]) -> [String] {
    var admitted = values
    for (label, value) in values.enumerated() where value != SeriesTable.other {
      let isClosed = label < closedValues.count && closedValues[label].map { !$0.contains(value) } ?? false
      if isClosed || value.utf8.count > SeriesTable.maximumValueBytes { admitted[label] = SeriesTable.other }
    }
    return admitted
  }
}
