import Glibc
import Reactor
import Synchronization

/// Runs `body` on `count` threads that begin at the same moment, and returns their results in order.
func together<Value: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Value) throws -> [Value] {
  let meeting = Meeting<Value>(count)
  let threads = try (0..<count).map { index in
    try SystemThread(name: "together") {
      meeting.awaitAll()
      let result = Result { try body(index) }
      meeting.results.withLock { $0[index] = result }
    }
  }
  for thread in threads { thread.join() }
  return try meeting.results.withLock { results in try (0..<count).map { try results[$0]!.get() } }
}

private final class Meeting<Value: Sendable>: Sendable {
  let results = Mutex<[Int: Result<Value, any Error>]>([:])
  private let missing: Atomic<Int>

  init(_ count: Int) { missing = Atomic(count) }

  /// Waits until all threads have come.
  func awaitAll() {
    missing.subtract(1, ordering: .acquiringAndReleasing)
    while missing.load(ordering: .acquiring) > 0 { sched_yield() }
  }
}
