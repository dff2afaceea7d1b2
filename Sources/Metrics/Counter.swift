import Synchronization

/// A total that only rises, as one shard writes it.
///
/// A child of a `Family<Counter>`: a bare pointer, cheap to copy and to keep. Recording is one relaxed load and one
/// relaxed store, without locks, allocation or reference counting; hence only the thread that owns the shard may do it.
/// Not for what can fall: that is a gauge.
/// Invariant 3.
public struct Counter: @unchecked Sendable {
  @usableFromInline let cell: UnsafeMutablePointer<MetricCell>

  init(_ cell: UnsafeMutablePointer<MetricCell>) { self.cell = cell }

  /// Adds `amount`; the total wraps around past 2^64 - 1.
  @inlinable public func increment(by amount: UInt64 = 1) {
    cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }
}
