/// The state of a loop's memory before an answer was asked for: while it is unchanged, the answer counts.
struct MemoryTicket {
  /// How often all answers had been forgotten by then.
  let clearings: UInt64
  /// The place where the tag is counted, and its count.
  let place: Int
  let count: UInt64
}
