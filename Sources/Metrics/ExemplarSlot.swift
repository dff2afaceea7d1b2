import Synchronization

/// The newest exemplar of one bucket of one shard: five cells under a sequence lock.
///
/// The sequence is odd while the slot is being written. Stores of the parts release and loads of them acquire, so a
/// reader that saw a part of a later exemplar also sees a changed sequence, and skips the slot.
struct ExemplarSlot {
  static let cellCount = 5
  let cells: UnsafeMutablePointer<MetricCell>

  func write(_ exemplar: Exemplar, value: Double) {
    let sequence = cells[0].load(ordering: .relaxed)
    cells[0].store(sequence &+ 1, ordering: .relaxed)
    cells[1].store(exemplar.traceHigh, ordering: .releasing)
    cells[2].store(exemplar.traceLow, ordering: .releasing)
    cells[3].store(UInt64(bitPattern: exemplar.unixMilliseconds), ordering: .releasing)
    cells[4].store(value.bitPattern, ordering: .releasing)
    cells[0].store(sequence &+ 2, ordering: .releasing)
  }

  /// The exemplar and the value observed; nil when there is none, or when it is being replaced at this moment.
  func read() -> (exemplar: Exemplar, value: Double)? {
    let sequence = cells[0].load(ordering: .acquiring)
    if sequence == 0 || sequence & 1 == 1 { return nil }
    let exemplar = Exemplar(
      traceHigh: cells[1].load(ordering: .acquiring),
      traceLow: cells[2].load(ordering: .acquiring),
      unixMilliseconds: Int64(bitPattern: cells[3].load(ordering: .acquiring)))
    let value = Double(bitPattern: cells[4].load(ordering: .acquiring))
    return cells[0].load(ordering: .relaxed) == sequence ? (exemplar, value) : nil
  }
}
