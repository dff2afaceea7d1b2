import Synchronization

/// A total that only rises, as one shard writes it.
///
/// A child of a `Family<Counter>`: a bare pointer, cheap to copy and to keep. Recording is one relaxed load and one
/// relaxed store, without locks, allocation or reference counting, so only the thread that owns the shard may record. A
/// value that can fall is a `Gauge`.
/// Each cell has one writing thread (invariant 3 of ARCHITECTURE.md).
public struct Counter: @unchecked Sendable {
  @usableFromInline let cell: UnsafeMutablePointer<MetricCell>

  init(_ cell: UnsafeMutablePointer<MetricCell>) { self.cell = cell }

  /// Adds `amount`; the total wraps around past 2^64 - 1.
  @inlinable public func increment(by amount: UInt64 = 1) {
    cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }
}
