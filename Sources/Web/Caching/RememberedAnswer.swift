import HTTP

/// An answer of the cache as a loop remembers it.
final class RememberedAnswer {
  /// The approximate size of an answer beside its target and body, in bytes: head, tables, headers of allocations.
  private static let overheadBytes = 1_024

  let target: [UInt8]
  /// The cache's name in the metrics.
  let cache: String
  let ticket: MemoryTicket
  /// Until when it counts, in nanoseconds of the monotonic clock.
  let until: UInt64
  let entry: TaggedBody
  let isList: Bool
  /// The whole answer to anonymous requests without a condition, made by the first of them.
  @exclusivity(unchecked) var common: FixedAnswer?

  init(_ target: [UInt8], _ entry: TaggedBody, of wanted: CachedAnswer, _ ticket: MemoryTicket, until: UInt64) {
    self.target = target
    self.entry = entry
    self.ticket = ticket
    self.until = until
    (cache, isList) = (wanted.key.cache, wanted.isList)
  }

  /// Whether it is the answer for `target`.
  func answers(_ target: UnsafeRawBufferPointer) -> Bool {
    self.target.withUnsafeBytes { $0.bytes.hasSameBytes(as: target.bytes) }
  }

  /// Its approximate size in memory, in bytes.
  var bytes: Int { target.count + entry.body.count + Self.overheadBytes }
}
