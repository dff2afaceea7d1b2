import Foundation
import Reactor
import Synchronization
import Testing

/// Threads for tests that wait for servers by blocking, as a program with one connection does.
///
/// Swift's own pool has one thread for each processor: with two, two tests would block it and keep all others waiting.
/// There are more threads here than processors, since tests mostly wait for a clock.
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
          // The newest first, so that a test that has begun ends before the next one begins, and the tests of a
          // serialized suite run one after the other.
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
  /// A trait of suites whose tests block the thread that they run on.
  static var blocking: Self { Self() }
}
