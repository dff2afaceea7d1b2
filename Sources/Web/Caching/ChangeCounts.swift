import Synchronization

/// How often what a tag stands for has changed, as far as this process knows: what a loop remembers counts only while
/// its tag's count stands as it was before it was asked for.
///
/// A loop that has changed something counts it before it answers, so that who reads next from the same server, on
/// whatever loop, reads the new state. Tags share counts: two that meet make each other's answers be asked for again.
package final class ChangeCounts: Sendable {
  /// How many counts there are for all tags: a power of two.
  private static let size = 4_096

  // Made once; what it points to is atomic.
  // Invariant 4.
  nonisolated(unsafe) private let counts: UnsafeMutablePointer<Atomic<UInt64>>

  /// Whether the process has begun an epoch of the cache.
  let hasBegun = Atomic<Bool>(false)

  package init() {
    counts = .allocate(capacity: Self.size)
    for index in 0..<Self.size { (counts + index).initialize(to: Atomic(0)) }
  }

  deinit {
    counts.deinitialize(count: Self.size)
    counts.deallocate()
  }

  /// Where a tag is counted.
  static func place(of tag: ArraySlice<UInt8>) -> Int {
    var hasher = Hasher()
    tag.withUnsafeBytes { hasher.combine(bytes: $0) }
    return hasher.finalize() & (size - 1)
  }

  func count(at place: Int) -> UInt64 { counts[place].load(ordering: .acquiring) }

  /// Counts a change.
  func changed(at place: Int) { counts[place].add(1, ordering: .acquiringAndReleasing) }
}
