import Synchronization

/// How often each tag has changed, as far as this process knows. What a loop remembers counts only while its tag's
/// count is what it was before Redis was asked.
///
/// A loop counts a change of its own before it answers, so that the next read from the same server, on any loop, sees
/// the new state. Tags share counts: where two meet, each only costs the other a look-up.
package final class ChangeCounts: Sendable {
  /// How many counts there are for all tags: a power of two.
  private static let size = 4_096

  // Invariant 4: set once, and what it points to is atomic.
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

  /// Returns the place in which a tag is counted.
  static func place(of tag: ArraySlice<UInt8>) -> Int {
    var hasher = Hasher()
    tag.withUnsafeBytes { hasher.combine(bytes: $0) }
    return hasher.finalize() & (size - 1)
  }

  func count(at place: Int) -> UInt64 { counts[place].load(ordering: .acquiring) }

  /// Counts a change.
  func changed(at place: Int) { counts[place].add(1, ordering: .acquiringAndReleasing) }
}
