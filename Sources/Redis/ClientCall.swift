import CRedis
import Reactor

/// A command that waits for its answer. Used again and again.
final class ClientCall: RedisCall {
  /// Whom the answer goes to.
  enum Waiter {
    case nobody
    case single(LoopContinuation<Result<RedisReply, RedisError>>)
    case part(Gathering, Int)
    /// Called at once, within the turn in which the values come.
    case values((Result<RedisValues, RedisError>) -> Void)
  }

  @exclusivity(unchecked) private(set) var name = ""
  /// Nanoseconds of the monotonic clock.
  @exclusivity(unchecked) private(set) var started: UInt64 = 0
  @exclusivity(unchecked) private(set) var bytes = 0
  @exclusivity(unchecked) private var waiter = Waiter.nobody
  @exclusivity(unchecked) var isLate = false
  @exclusivity(unchecked) var next: ClientCall?
  // Invariant 1.
  private unowned(unsafe) let client: RedisClient

  init(_ client: RedisClient) { self.client = client }

  func begin(_ name: String, at started: UInt64, bytes: Int, _ waiter: Waiter) {
    self.name = name
    self.started = started
    self.bytes = bytes
    self.waiter = waiter
    isLate = false
  }

  override func received(_ reply: UnsafePointer<redisReply>?) { client.settle(self, reply) }

  /// Takes out whom the answer goes to.
  func takeWaiter() -> Waiter {
    defer { waiter = .nobody }
    return waiter
  }
}

extension ClientCall.Waiter {
  /// Hands the answer over: a reply of hiredis, or the error that stands for it.
  func resume(_ answer: Result<UnsafePointer<redisReply>, RedisError>) {
    switch self {
    case .nobody: break
    case .single(let continuation): continuation.resume(returning: answer.map(RedisReply.init))
    case .part(let gathering, let index): gathering.take(answer.map(RedisReply.init), index)
    case .values(let receive):
      receive(answer.flatMap { reply in RedisValues(reply).map { .success($0) } ?? .failure(.unexpectedReply) })
    }
  }
}
