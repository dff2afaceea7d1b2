/// The children that one shard has resolved. Only the shard's thread touches it, hence there is no lock.
///
/// It is bounded as the family is: label values that a cap keeps out are never stored.
final class ShardCache<Instrument: Sendable>: @unchecked Sendable {
  @exclusivity(unchecked) private var children: [[String]: Instrument] = [:]
  /// By place of the label: all values that the label will ever have, once its cap is reached.
  @exclusivity(unchecked) private var closedValues: [Set<String>?] = []
  /// The child for all that is not among `children`, once the family is full.
  @exclusivity(unchecked) private var other: Instrument?
  private let overflow: Counter?

  /// `overflow` counts what goes to `_other`.
  init(overflow: Counter?) { self.overflow = overflow }

  /// The child of these values, if this shard has met them.
  func child(_ values: [String]) -> Instrument? { children[values] }

  /// The child of values that this shard has not met: asks the table unless it is known to have nothing.
  func resolve(_ values: [String], in table: SeriesTable, _ make: (Series) -> Instrument) -> Instrument {
    let admitted = admitted(values)
    let isReplaced = admitted != nil
    if let admitted, let child = children[admitted] { return overflowing(child) }
    if let other { return overflowing(other) }
    let wanted = admitted ?? values
    switch table.resolve(wanted) {
    case .found(let series):
      let child = make(series)
      children[wanted] = child
      return isReplaced ? overflowing(child) : child
    case .replaced(let series, let values, let closed):
      let child = make(series)
      children[values] = child
      closedValues = closed
      return overflowing(child)
    case .full(let otherSeries, let all):
      let child = make(otherSeries)
      for series in all where children[series.values] == nil { children[series.values] = make(series) }
      other = child
      return overflowing(child)
    }
  }

  /// The values with `_other` for what is known to be kept out; nil when there is nothing to replace.
  private func admitted(_ values: [String]) -> [String]? {
    var admitted: [String]?
    for (label, value) in values.enumerated() where value != SeriesTable.other {
      let isClosed = label < closedValues.count && closedValues[label].map { !$0.contains(value) } ?? false
      guard isClosed || value.utf8.count > SeriesTable.maximumValueBytes else { continue }
      admitted = admitted ?? values
      admitted?[label] = SeriesTable.other
    }
    return admitted
  }

  private func overflowing(_ child: Instrument) -> Instrument {
    overflow?.increment()
    return child
  }
}
