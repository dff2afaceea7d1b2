import Synchronization

/// A value that goes up and down, as one shard writes it.
///
/// A scrape adds up the parts of all shards: connections, for example, are counted on their own shards, with `add` and
/// `subtract`. A value that exists once must be `set` on one shard only. Only the thread that owns the shard may
/// record.
/// Each cell has one writing thread (invariant 3 of ARCHITECTURE.md).
public struct Gauge: @unchecked Sendable {
  @usableFromInline let cell: UnsafeMutablePointer<MetricCell>

  init(_ cell: UnsafeMutablePointer<MetricCell>) { self.cell = cell }

  /// Replaces this shard's part of the value.
  @inlinable public func set(_ value: Double) { cell.pointee.store(value.bitPattern, ordering: .relaxed) }

  /// Replaces this shard's part of the value; exact up to 2^53.
  @inlinable public func set(_ value: Int) { set(Double(value)) }

  /// Raises this shard's part of the value.
  @inlinable public func add(_ amount: Double = 1) {
    set(Double(bitPattern: cell.pointee.load(ordering: .relaxed)) + amount)
  }

  /// Lowers this shard's part of the value, below zero if need be.
  @inlinable public func subtract(_ amount: Double = 1) { add(-amount) }
}
