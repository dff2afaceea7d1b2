import Reactor
import Values
import Web

/// Charts of gardens, remembered for a while by one loop, and made once for all requests that come meanwhile: most of
/// what they show is over and does not change.
final class GardenCharts {
  /// How long a chart with steps under an hour is used again, in nanoseconds.
  static let fineNanoseconds: UInt64 = 5_000_000_000
  /// How long a chart with steps of an hour or more is used again, in nanoseconds.
  static let coarseNanoseconds: UInt64 = 60_000_000_000
  /// How many charts of each kind are remembered.
  static let maximumCharts = 8
  /// The largest chart that is remembered, in bytes.
  static let maximumBytes = 512 << 10

  /// Identifies a chart; once the next step begins, it is another one.
  struct Key: Hashable {
    let garden: Identifier
    let from: Timestamp
    let to: Timestamp
    /// Whether its steps are shorter than an hour.
    let isFine: Bool
  }

  // Invariant 1: the loop outlives what runs on it.
  private unowned(unsafe) let loop: EventLoop
  private let reads: LongReads
  private let loads = SingleFlight<Key, TaggedBody>()
  private var fine = ShortMemory<Key, TaggedBody>(lifetimeNanoseconds: fineNanoseconds, capacity: maximumCharts)
  private var coarse = ShortMemory<Key, TaggedBody>(lifetimeNanoseconds: coarseNanoseconds, capacity: maximumCharts)

  init(loop: EventLoop, reads: LongReads) {
    self.loop = loop
    self.reads = reads
  }

  /// Returns a remembered chart, or one made for this client.
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
