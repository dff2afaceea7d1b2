import Synchronization

/// The series of one family: their label values and where their cells are. Shared by all shards, under a lock.
///
/// Nothing is ever removed, so what a shard has learnt from it stays true.
final class SeriesTable: Sendable {
  /// The label value that stands for all values which a cap keeps out.
  static let other = "_other"
  /// The longest label value, in bytes; longer ones count as `_other`.
  static let maximumValueBytes = 256
  /// The most series that a full family has beyond its cap, for labels that keep their values.
  static let maximumOthers = 64

  let description: FamilyDescription
  let shape: SeriesShape
  let shards: Int
  let shardStride: Int
  private let maximumSeries: Int
  /// By position of the label: the most values it may have.
  private let maximumValues: [Int]
  /// By position of the label: whether it keeps its value when the family is full.
  private let isKept: [Bool]
  private let state: Mutex<State>

  private struct State: ~Copyable {
    var store: CellStore
    var series: [Series] = []
    var index: [[String]: Int] = [:]
    /// By position of the label: the values seen, for labels that have a cap.
    var values: [Set<String>]
    /// The series beyond the cap, in order of creation.
    var others: [Series] = []
  }

  init(
    _ description: FamilyDescription, shape: SeriesShape, shards: Int, maximumSeries: Int,
    maximumValues: [String: Int], keptLabels: Set<String> = []
  ) {
    self.description = description
    self.shape = shape
    self.shards = shards
    self.maximumSeries = maximumSeries
    self.maximumValues = description.labels.map { maximumValues[$0] ?? .max }
    isKept = description.labels.map(keptLabels.contains)
    let store = CellStore(shards: shards, cellsPerSeries: shape.cellCount, isSingle: description.labels.isEmpty)
    shardStride = store.shardStride
    state = Mutex(State(store: store, values: description.labels.map { _ in [] }))
  }

  /// Stops the program unless there is one value for each label.
  func check(_ values: [String]) {
    if values.count == description.labels.count { return }
    fatalError("\(description.name) has the labels \(description.labels), not \(values.count) of them")
  }

  /// All series so far, in order of creation; those beyond the cap last.
  var series: [Series] {
    state.withLock { state in
      // Appending an empty array would copy the series all the same.
      state.others.isEmpty ? state.series : state.series + state.others
    }
  }

  /// A series for label values, and what the shard may remember so as not to ask again.
  enum Resolution {
    /// The series of exactly these values.
    case found(Series)
    /// The series with `_other` for values beyond their label's cap. `closed` has, by position of the label, the values
    /// of a label at its cap, which will not grow any more; nil for any other label.
    case replaced(Series, closed: [Set<String>?])
    /// The series with `_other` in every label that does not keep its value, since the family is full. `all` are the
    /// series that it will ever have, apart from others of that kind.
    case full(other: Series, all: [Series])
  }

  /// Finds or makes the series of these label values.
  func resolve(_ values: [String]) -> Resolution {
    state.withLock { state in
      if let index = state.index[values] { return .found(state.series[index]) }
      let admitted = admitted(values, state)
      if admitted != values, let index = state.index[admitted] {
        return .replaced(state.series[index], closed: closedValues(state))
      }
      guard state.series.count < maximumSeries else {
        return .full(other: other(values, &state), all: state.series)
      }
      let series = add(admitted, &state)
      return admitted == values ? .found(series) : .replaced(series, closed: closedValues(state))
    }
  }

  private func admitted(_ values: [String], _ state: borrowing State) -> [String] {
    var admitted = values
    for (label, value) in values.enumerated() where value != Self.other {
      let seen = state.values[label].count
      if seen >= maximumValues[label], !state.values[label].contains(value) { admitted[label] = Self.other }
    }
    return admitted
  }

  private func closedValues(_ state: borrowing State) -> [Set<String>?] {
    zip(state.values, maximumValues).map { seen, maximum in seen.count >= maximum ? seen : nil }
  }

  private func add(_ values: [String], _ state: inout State) -> Series {
    for (label, value) in values.enumerated() where maximumValues[label] != .max && value != Self.other {
      state.values[label].insert(value)
    }
    let series = Series(labels: description.labels, values: values, cells: state.store.allocate())
    state.index[values] = state.series.count
    state.series.append(series)
    return series
  }

  /// The label values under which a full family counts `values` if it has no series for them.
  func collapsed(_ values: [String]) -> [String] {
    zip(values, isKept).map { value, isKept in
      isKept && value.utf8.count <= Self.maximumValueBytes ? value : Self.other
    }
  }

  /// Returns the series under which a full family counts `values`: one beyond the cap, unless its label values came up
  /// before the family was full.
  private func other(_ values: [String], _ state: inout State) -> Series {
    let all = description.labels.map { _ in Self.other }
    // One place is left for the series with `_other` in every label.
    let hasRoom = state.others.count < Self.maximumOthers - 1
    for values in [collapsed(values), all] {
      if let index = state.index[values] { return state.series[index] }
      if let other = state.others.first(where: { $0.values == values }) { return other }
      guard hasRoom || values == all else { continue }
      let other = Series(labels: description.labels, values: values, cells: state.store.allocate())
      state.others.append(other)
      return other
    }
    fatalError("everything has a place")
  }
}
