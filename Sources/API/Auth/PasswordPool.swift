import CLinux
import Glibc
import Reactor
import Synchronization

/// Why a password was not looked at: answered as 503.
package enum PasswordPoolError: Error, Equatable, Sendable {
  /// As many passwords wait as may wait.
  case overloaded
  /// The server is stopping.
  case stopped
}

/// Threads that hash and verify passwords, a bounded number at a time with a bounded number waiting.
///
/// Any loop may ask; the asking task suspends and goes on where it ran.
package final class PasswordPool: Sendable {
  /// The most threads: each needs the memory of one hash.
  package static let maximumThreads = 16

  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var isStopped = false

    // A job is forgotten as soon as it is taken: it holds a password.
    mutating func take() -> (@Sendable () -> Void)? { jobs.isEmpty ? nil : jobs.removeFirst() }
  }

  private let state = Mutex(State())
  private let wakeUp = WakeUp()
  private let maximumWaiting: Int
  private let cost: ScryptCost
  private let placeholder: String
  private let threads: Mutex<[SystemThread]>

  /// Starts that many threads, 1 to 16. At most `waiting` passwords wait for one of them.
  package init(threads count: Int, waiting: Int, cost: ScryptCost = .standard) throws(SystemError) {
    precondition((1...Self.maximumThreads).contains(count) && waiting > 0)
    maximumWaiting = waiting
    self.cost = cost
    placeholder = Password.placeholder(cost: cost)
    threads = Mutex([])
    for index in 0..<count {
      let thread = try SystemThread(name: "password-\(index)") { [self] in serve() }
      threads.withLock { $0.append(thread) }
    }
  }

  /// Passwords that wait for a thread.
  package var waiting: Int { state.withLock { $0.jobs.count } }

  /// A new hash of a password.
  package func hash(_ password: String) async throws(PasswordPoolError) -> String {
    try await perform { [cost] in Password.hash(password, cost: cost) }
  }

  /// Whether a password has that hash. Without a hash, as for an unknown account, it is false after the same time.
  package func verify(_ password: String, against hash: String?) async throws(PasswordPoolError) -> Bool {
    let text = hash ?? placeholder
    let isKnown = hash != nil
    return try await perform { Password.verify(password, against: text) && isKnown }
  }

  /// Whether a hash should be made anew at the next sign-in, because it was made with another cost.
  package func needsRehash(_ hash: String) -> Bool { Password.needsRehash(hash, cost: cost) }

  /// Lets what waits be finished, refuses what comes later and ends the threads. Blocks; never called on a loop.
  package func stop() {
    state.withLock { $0.isStopped = true }
    for _ in 0..<Self.maximumThreads { wakeUp.signal() }
    for thread in threads.withLock({ exchange(&$0, with: []) }) { thread.join() }
  }

  private func perform<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value
  ) async throws(PasswordPoolError) -> Value {
    let result = await withUnsafeContinuation {
      (continuation: UnsafeContinuation<Result<Value, PasswordPoolError>, Never>) in
      // Resumed from a thread of the pool, the task goes back to its loop by the loop's executor.
      if let refusal = submit({ continuation.resume(returning: .success(body())) }) {
        continuation.resume(returning: .failure(refusal))
      }
    }
    return try result.get()
  }

  private func submit(_ job: @escaping @Sendable () -> Void) -> PasswordPoolError? {
    let refusal = state.withLock { state -> PasswordPoolError? in
      if state.isStopped { return .stopped }
      if state.jobs.count >= maximumWaiting { return .overloaded }
      state.jobs.append(job)
      return nil
    }
    if refusal == nil { wakeUp.signal() }
    return refusal
  }

  private func serve() {
    while true {
      let (job, isStopped) = state.withLock { ($0.take(), $0.isStopped) }
      if let job { job() } else if isStopped { return } else { wakeUp.wait() }
    }
  }
}
