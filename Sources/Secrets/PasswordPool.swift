import CLinux
import Glibc
import Reactor
import Synchronization

/// Why a password was not dealt with: answered as 503.
package enum PasswordPoolError: Error, Equatable, Sendable {
  /// As many passwords wait as may wait.
  case overloaded
  /// The server is stopping.
  case stopped
}

/// Threads that hash and verify passwords, a bounded number at a time with a bounded number waiting.
///
/// Any loop may ask; the asking task suspends and goes on where it ran. Newcomers have only a part of the queue, and
/// members take turns with them: many registrations cannot keep anyone from signing in.
package final class PasswordPool: Sendable {
  /// The most threads: each needs the memory of one hash.
  package static let maximumThreads = 16
  /// At most the queue's length divided by this may be newcomers' passwords.
  static let newcomersPart = 4
  /// At most the queue's length divided by this may be under way for the members of one network.
  package static let networksPart = 4

  /// Whose password it is.
  package enum Owner: Sendable {
    /// Someone with an account.
    case member
    /// Someone who registers.
    case newcomer
  }

  private typealias Job = @Sendable () -> Void

  private struct State {
    var members: [Job] = []
    var newcomers: [Job] = []
    var isNewcomersTurn = false
    var isStopped = false

    // A job is forgotten as soon as it is taken: it holds a password.
    mutating func take() -> Job? {
      if newcomers.isEmpty || (!isNewcomersTurn && !members.isEmpty) {
        isNewcomersTurn = true
        return members.isEmpty ? nil : members.removeFirst()
      }
      isNewcomersTurn = false
      return newcomers.removeFirst()
    }
  }

  private let state = Mutex(State())
  private let wakeUp = WakeUp()
  private let maximumWaiting: Int
  private let cost: ScryptCost
  private let placeholder: String
  private let threads: Mutex<[SystemThread]>

  /// Starts `count` threads, 1 to 16; throws when one cannot be started. At most `waiting` passwords wait for one of
  /// them.
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
  package var waiting: Int { state.withLock { $0.members.count + $0.newcomers.count } }

  /// A new hash of a password. Throws `.overloaded` when too many wait already, and `.stopped` after `stop`.
  package func hash(_ password: String, of owner: Owner = .member) async throws(PasswordPoolError) -> String {
    try await perform(owner) { [cost] in Password.hash(password, cost: cost) }
  }

  /// Whether a password has `hash`. Without one, as for an unknown account, returns false after the same time. Throws
  /// as `hash` does.
  package func verify(_ password: String, against hash: String?) async throws(PasswordPoolError) -> Bool {
    let text = hash ?? placeholder
    let isKnown = hash != nil
    return try await perform(.member) { Password.verify(password, against: text) && isKnown }
  }

  /// Whether a hash should be made anew at the next sign-in, because it was made with another cost.
  package func needsRehash(_ hash: String) -> Bool { Password.needsRehash(hash, cost: cost) }

  /// Finishes what waits, refuses what comes later and ends the threads. Blocks; never called on a loop.
  package func stop() {
    state.withLock { $0.isStopped = true }
    for _ in 0..<Self.maximumThreads { wakeUp.signal() }
    for thread in threads.withLock({ exchange(&$0, with: []) }) { thread.join() }
  }

  private func perform<Value: Sendable>(
    _ owner: Owner, _ body: @escaping @Sendable () -> Value
  ) async throws(PasswordPoolError) -> Value {
    let result = await withLoopContinuation {
      (continuation: LoopContinuation<Result<Value, PasswordPoolError>>) in
      // Resumed from a thread of the pool, the task goes back to its loop by the loop's executor.
      if let refusal = submit(owner, { continuation.resume(returning: .success(body())) }) {
        continuation.resume(returning: .failure(refusal))
      }
    }
    return try result.get()
  }

  private func submit(_ owner: Owner, _ job: @escaping Job) -> PasswordPoolError? {
    let refusal = state.withLock { state -> PasswordPoolError? in
      if state.isStopped { return .stopped }
      if state.members.count + state.newcomers.count >= maximumWaiting { return .overloaded }
      switch owner {
      case .member: state.members.append(job)
      case .newcomer where state.newcomers.count < max(1, maximumWaiting / Self.newcomersPart):
        state.newcomers.append(job)
      case .newcomer: return .overloaded
      }
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
