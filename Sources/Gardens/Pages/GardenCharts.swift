import Reactor
import Values
import Web

/// Charts of public gardens, remembered for a while by one loop and made once for all who ask meanwhile: most of what
/// they show is over and does not change.
final class GardenCharts {
  /// How long a day's chart is shown again, whose steps are short, in nanoseconds.
  static let dayNanoseconds: UInt64 = 5_000_000_000
  /// The same of a week's and a month's.
  static let longNanoseconds: UInt64 = 60_000_000_000
  /// How many charts of each kind are remembered.
  static let maximumCharts = 8
  /// The largest chart that is remembered, in bytes.
  static let maximumBytes = 512 << 10

  /// What tells a chart from all others: the next step is another one.
  struct Key: Hashable {
    let garden: Identifier
    let range: GardenHistory.Range
    let to: Timestamp
  }

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private let reads: LongReads
  private let loads = SingleFlight<Key, CacheEntry>()
  private var day = ShortMemory<Key, CacheEntry>(lifetimeNanoseconds: dayNanoseconds, capacity: maximumCharts)
  private var long = ShortMemory<Key, CacheEntry>(lifetimeNanoseconds: longNanoseconds, capacity: maximumCharts)

  init(loop: EventLoop, reads: LongReads) {
    self.loop = loop
    self.reads = reads
  }

  /// A chart as it is or was a little while ago, made for this client if it has to be.
  func chart(_ history: GardenHistory, for client: String) async throws -> CacheEntry {
    let key = history.key
    if let known = (history.range == .day ? day : long).value(of: key, at: loop.now) { return known }
    return try await loads.value(of: key) {
      let entry = CacheEntry(body: try await reads.read(for: client) { try await history.body($0) })
      if entry.body.count <= Self.maximumBytes { keep(entry, key) }
      return entry
    }
  }

  private func keep(_ entry: CacheEntry, _ key: Key) {
    if key.range == .day { day.keep(entry, of: key, at: loop.now) } else { long.keep(entry, of: key, at: loop.now) }
  }
}
