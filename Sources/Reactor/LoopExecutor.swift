import Glibc
import Synchronization

/// Runs Swift tasks on one loop's thread: the loop's address for the concurrency runtime and for other threads.
///
/// A continuation that is resumed on the loop's own thread is queued without any synchronisation; one resumed
/// elsewhere goes through the mailbox and wakes the loop.
/// Other threads reach only the mailbox and an atomic (invariant 2 of ARCHITECTURE.md).
package final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  /// The most jobs run before the loop looks at its descriptors again.
  static let jobsPerTurn = 4096

  let mailbox: Mailbox
  // Touched by the loop's thread alone, which is what `isCurrent` tests.
  @exclusivity(unchecked) private var jobs: [UnownedJob] = []
  @exclusivity(unchecked) private var nextJob = 0
  private let owner = Atomic<UInt>(0)

  init() throws(SystemError) {
    mailbox = try Mailbox()
  }

  /// Makes the calling thread the loop's thread.
  func adoptCurrentThread() { owner.store(UInt(pthread_self()), ordering: .relaxed) }

  /// Notes that the loop has ended and has no thread any more.
  func leaveThread() { owner.store(0, ordering: .relaxed) }

  /// Whether the loop turns on some thread.
  var hasThread: Bool { owner.load(ordering: .relaxed) != 0 }

  /// Whether the caller runs on the loop's thread.
  package var isCurrent: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent { jobs.append(job) } else { mailbox.post(.job(job)) }
  }

  /// Submits `body` to the loop, which calls it on its thread, soon and in order. May be called on any thread.
  package func submit(_ body: @escaping @Sendable () -> Void) { mailbox.post(.call(body)) }

  /// Queues the jobs and makes the calls that other threads have sent.
  func takeMessages() {
    mailbox.acknowledge()
    for message in mailbox.takeAll() {
      switch message {
      case .job(let job): jobs.append(job)
      case .call(let call): call()
      }
    }
  }

  /// Runs the job that was queued last, ahead of the others. Before the loop runs there is none here: it waits in the
  /// mailbox.
  func runNewest() {
    if hasJobs { jobs.removeLast().runSynchronously(on: asUnownedTaskExecutor()) }
  }

  var hasJobs: Bool { nextJob < jobs.count }

  /// Runs the queued jobs and those that they queue, at most `jobsPerTurn`.
  func drain() {
    var budget = Self.jobsPerTurn
    while nextJob < jobs.count, budget > 0 {
      let job = jobs[nextJob]
      // Taken before it runs: a job may queue further jobs, and must never be run twice.
      nextJob += 1
      budget -= 1
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
    if nextJob == jobs.count {
      jobs.removeAll(keepingCapacity: jobs.count <= Self.jobsPerTurn)
      nextJob = 0
    }
  }
}
