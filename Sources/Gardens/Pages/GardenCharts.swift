import Reactor
import Values
import Web

/// Charts of gardens, remembered for a while by one loop and made once for all who ask meanwhile: most of what
/// they show is over and does not change.
final class GardenCharts {
  /// How long a chart of short steps is shown again, in nanoseconds.
  static let fineNanoseconds: UInt64 = 5_000_000_000
  /// The same of steps of an hour or more.
  static let coarseNanoseconds: UInt64 = 60_000_000_000
  /// How many charts of each kind are remembered.
  static let maximumCharts = 8
  /// The largest chart that is remembered, in bytes.
  static let maximumBytes = 512 << 10

  /// What tells a chart from all others: the next step is another one.
  struct Key: Hashable {
    let garden: Identifier
    let from: Timestamp
    let to: Timestamp
    /// Whether its steps are shorter than an hour.
    let isFine: Bool
  }

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private let reads: LongReads
  private let loads = SingleFlight<Key, TaggedBody>()
  private var fine = ShortMemory<Key, TaggedBody>(lifetimeNanoseconds: fineNanoseconds, capacity: maximumCharts)
  private var coarse = ShortMemory<Key, TaggedBody>(lifetimeNanoseconds: coarseNanoseconds, capacity: maximumCharts)

  init(loop: EventLoop, reads: LongReads) {
    self.loop = loop
    self.reads = reads
  }

  /// A chart as it is or was a little while ago, made for this client if it has to be.
  func chart(_ history: GardenHistory, for client: String) async throws -> TaggedBody {
    let key = history.key
    if let known = (key.isFine ? fine : coarse).value(of: key, at: loop.now) { return known }
    return try await loads.value(of: key) {
      let entry = TaggedBody(try await reads.read(for: client, of: [key.garden]) { try await history.body($0) })
      if entry.body.count <= Self.maximumBytes { keep(entry, key) }
      return entry
    }
  }

  private func keep(_ entry: TaggedBody, _ key: Key) {
    if key.isFine { fine.keep(entry, of: key, at: loop.now) } else { coarse.keep(entry, of: key, at: loop.now) }
  }
}
