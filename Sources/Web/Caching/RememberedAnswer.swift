import HTTP

/// A moment as a loop's memory sees it: whether what was asked for then still counts.
struct MemoryTicket {
  /// Changes when everything was forgotten.
  let session: UInt64
  /// Where the tag is counted, and its count.
  let place: Int
  let count: UInt64
}

/// An answer of the cache as a loop remembers it.
final class RememberedAnswer {
  /// What an answer takes beside its target and body, about, in bytes: head, tables, headers of allocations.
  private static let overheadBytes = 1_024

  let target: [UInt8]
  /// The cache's name in the metrics.
  let cache: String
  let ticket: MemoryTicket
  /// Until when it counts, by the monotonic clock.
  let until: UInt64
  let entry: TaggedBody
  let isList: Bool
  /// Made by the first who asks without a condition and without signing in.
  @exclusivity(unchecked) var common: FixedAnswer?

  init(_ target: [UInt8], _ entry: TaggedBody, of wanted: CachedAnswer, _ ticket: MemoryTicket, until: UInt64) {
    self.target = target
    self.entry = entry
    self.ticket = ticket
    self.until = until
    (cache, isList) = (wanted.key.cache, wanted.isList)
  }

  /// Whether it is the answer for that target.
  func answers(_ target: UnsafeRawBufferPointer) -> Bool {
    self.target.withUnsafeBytes { $0.bytes.hasSameBytes(as: target.bytes) }
  }

  /// The memory it takes, about.
  var bytes: Int { target.count + entry.body.count + Self.overheadBytes }
}
