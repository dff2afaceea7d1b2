import Foundation
import Reactor
import Synchronization
import Testing

/// Threads for tests that wait for servers as a program with one connection does, by blocking.
///
/// Swift's own pool has as many threads as the machine has processors: on two of them two tests would wait, and all
/// others for them. Twice as many as two processors: what waits is most often a clock.
final class BlockingThreads: TaskExecutor {
  static let count = 8
  static let shared = Result { try BlockingThreads() }

  private let jobs = Mutex<[UnownedJob]>([])
  private let waiting = DispatchSemaphore(value: 0)

  private init() throws {
    for _ in 0..<Self.count {
      _ = try SystemThread(name: "test") { [self] in
        while true {
          waiting.wait()
          // The newest: what has begun is done before the next test begins, and one of a serialized suite after the
          // other.
          let job = jobs.withLock { $0.removeLast() }
          job.runSynchronously(on: asUnownedTaskExecutor())
        }
      }
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
    waiting.signal()
  }
}

/// Runs the tests of a suite on threads that may block.
struct BlockingTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(BlockingThreads.shared.get(), operation: body)
  }
}

extension Trait where Self == BlockingTrait {
  /// For suites whose tests block the thread that they run on.
  static var blocking: Self { Self() }
}
