import Synchronization

/// Everything that one process measures, and its exposition to Prometheus.
///
/// Recording is split into shards, one for each thread that records: an event loop's index is its shard. Each shard is
/// written by its thread alone, and a scrape adds them up, so that recording takes no lock and shares no cache line.
///
/// Families are registered when the program is wired. A bad or taken name, a missing help or faulty buckets are the
/// programmer's errors: they stop the program with a reason, in release builds too. `fault(in:)` finds them beforehand.
public final class Registry: Sendable {
  /// The most series of a family unless it is given another bound.
  public static let defaultMaximumSeries = 1_000

  /// The number of threads that record.
  public let shards: Int
  private let overflow: SeriesTable
  private let state: Mutex<State>

  private struct State {
    var sources: [Source]
    var names: Set<String> = []
  }

  /// Makes a registry for `shards` recording threads, with the counter of what the caps keep out.
  public init(shards: Int) {
    precondition(shards > 0, "a registry needs a shard")
    self.shards = shards
    let description = FamilyDescription(
      "metrics_series_overflow_total", help: "Label sets counted under _other because their family was full.",
      kind: .counter, labels: ["family"])
    overflow = SeriesTable(description, shape: .counter, shards: shards, maximumSeries: .max, maximumValues: [:])
    state = Mutex(State(sources: [.table(overflow)], names: Set(description.claimedNames)))
  }

  /// Registers a counter; its name ends in `_total`.
  ///
  /// Keeps at most `maximumSeries` series, and for each label in `maximumValues` at most its number of values; what
  /// exceeds them is counted under `_other`. When the family is full, `keptLabels` keep their values all the same:
  /// labels of a few values that alerts ask for.
  public func counter(
    _ name: String, help: String, labels: [String] = [], maximumSeries: Int = defaultMaximumSeries,
    maximumValues: [String: Int] = [:], keptLabels: Set<String> = []
  ) -> Family<Counter> {
    let description = FamilyDescription(name, help: help, kind: .counter, labels: labels)
    return family(description, .counter, maximumSeries, maximumValues, keptLabels) { Counter($0) }
  }

  /// Registers a gauge, whose value is the sum of the shards' parts.
  ///
  /// Keeps at most `maximumSeries` series, and for each label in `maximumValues` at most its number of values.
  public func gauge(
    _ name: String, help: String, labels: [String] = [], maximumSeries: Int = defaultMaximumSeries,
    maximumValues: [String: Int] = [:]
  ) -> Family<Gauge> {
    let description = FamilyDescription(name, help: help, kind: .gauge, labels: labels)
    return family(description, .gauge, maximumSeries, maximumValues) { Gauge($0) }
  }

  /// Registers a histogram; `buckets` are the rising, inclusive upper bounds, to which +Inf is added.
  ///
  /// With `exemplars` each bucket keeps its newest trace, in 40 bytes per bucket, series and shard. Keeps at most
  /// `maximumSeries` series, and for each label in `maximumValues` at most its number of values.
  public func histogram(
    _ name: String, help: String, labels: [String] = [], buckets: [Double], exemplars: Bool = false,
    maximumSeries: Int = defaultMaximumSeries, maximumValues: [String: Int] = [:]
  ) -> Family<Histogram> {
    let description = FamilyDescription(name, help: help, kind: .histogram, labels: labels)
    if let fault = HistogramShape.fault(in: buckets) { fatalError("\(name): \(fault)") }
    let shape = HistogramShape(bounds: buckets, keepsExemplars: exemplars)
    return family(description, .histogram(shape), maximumSeries, maximumValues) { Histogram($0, shape) }
  }

  /// Why a family of this description cannot be registered, or nil if it can.
  public func fault(in description: FamilyDescription) -> String? {
    state.withLock { state in description.fault ?? Self.clash(of: description, with: state.names) }
  }

  var sources: [Source] { state.withLock { $0.sources } }

  private func family<Instrument>(
    _ description: FamilyDescription, _ shape: SeriesShape, _ maximumSeries: Int, _ maximumValues: [String: Int],
    _ keptLabels: Set<String> = [],
    _ make: @escaping @Sendable (UnsafeMutablePointer<MetricCell>) -> Instrument
  ) -> Family<Instrument> {
    guard maximumSeries > 0, maximumValues.values.allSatisfy({ $0 > 0 }) else {
      fatalError("\(description.name): a cap must leave room for one")
    }
    guard keptLabels.union(maximumValues.keys).isSubset(of: description.labels) else {
      fatalError("\(description.name): a cap on an unknown label")
    }
    let table = SeriesTable(
      description, shape: shape, shards: shards, maximumSeries: maximumSeries, maximumValues: maximumValues,
      keptLabels: keptLabels)
    add(.table(table), [description])
    return Family(table, overflow: overflowCounters(description), make)
  }

  /// The counter of each shard for what goes to `_other`, at zero from the start; none for a family without labels.
  private func overflowCounters(_ description: FamilyDescription) -> [Counter] {
    if description.labels.isEmpty { return [] }
    guard case .found(let series) = overflow.resolve([description.name]) else { return [] }
    return (0..<shards).map { Counter(series.cells + $0 * overflow.shardStride) }
  }

  /// Adds a source and claims all its names, or stops the program with the reason.
  func add(_ source: Source, _ descriptions: [FamilyDescription]) {
    let fault: String? = state.withLock { state in
      for description in descriptions {
        if let fault = description.fault ?? Self.clash(of: description, with: state.names) { return fault }
        state.names.formUnion(description.claimedNames)
      }
      state.sources.append(source)
      return nil
    }
    if let fault { fatalError(fault) }
  }

  private static func clash(of description: FamilyDescription, with names: Set<String>) -> String? {
    description.claimedNames.first(where: names.contains).map { "\(description.name): the name \($0) is taken" }
  }
}
