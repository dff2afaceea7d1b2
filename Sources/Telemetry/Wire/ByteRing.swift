import Glibc
import Synchronization

/// A bounded queue of bytes from one thread to another, without locks: what does not fit is refused whole.
///
/// One producer calls `append`, one consumer `read` and `consume`. Head and tail count all bytes ever put in and
/// taken out; the capacity is a power of two, so that their low bits are the places in the storage.
/// What both threads use is atomic (invariant 4 of ARCHITECTURE.md).
final class ByteRing: @unchecked Sendable {
  let capacity: Int
  private let storage: UnsafeMutableRawPointer
  private let head = Atomic<Int>(0)
  private let tail = Atomic<Int>(0)
  private let refused = Atomic<UInt64>(0)
  // The producer's own view: it looks at the consumer's tail only when the ring seems full.
  @exclusivity(unchecked) private var producerHead = 0
  @exclusivity(unchecked) private var producerTail = 0

  /// Makes a ring of `capacity` bytes, rounded up to a power of two.
  init(capacity: Int) {
    var power = 64
    while power < capacity { power *= 2 }
    self.capacity = power
    storage = .allocate(byteCount: power, alignment: 64)
  }

  deinit { storage.deallocate() }

  /// How many `append` refused; from any thread.
  var refusals: UInt64 { refused.load(ordering: .relaxed) }

  /// How many bytes wait to be read; from any thread.
  var count: Int { head.load(ordering: .acquiring) - tail.load(ordering: .acquiring) }

  // MARK: Producer

  /// Adds the bytes and makes them visible to the consumer, or adds nothing and counts a refusal.
  func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if capacity - (producerHead - producerTail) < bytes.count {
      producerTail = tail.load(ordering: .acquiring)
      if capacity - (producerHead - producerTail) < bytes.count {
        refused.store(refused.load(ordering: .relaxed) + 1, ordering: .relaxed)
        return false
      }
    }
    let place = producerHead & (capacity - 1)
    let first = min(bytes.count, capacity - place)
    if let source = bytes.baseAddress {
      memcpy(storage + place, source, first)
      memcpy(storage, source + first, bytes.count - first)
    }
    producerHead += bytes.count
    head.store(producerHead, ordering: .releasing)
    return true
  }

  // MARK: Consumer

  /// Returns the waiting bytes in two pieces, the second of which is empty unless they wrap round the storage's end.
  func read() -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
    let start = tail.load(ordering: .relaxed)
    let waiting = head.load(ordering: .acquiring) - start
    let place = start & (capacity - 1)
    let first = min(waiting, capacity - place)
    return (
      UnsafeRawBufferPointer(start: storage + place, count: first),
      UnsafeRawBufferPointer(start: storage, count: waiting - first)
    )
  }

  /// Leaves the first `count` waiting bytes to the producer again.
  func consume(_ count: Int) {
    tail.store(tail.load(ordering: .relaxed) + count, ordering: .releasing)
  }
}
