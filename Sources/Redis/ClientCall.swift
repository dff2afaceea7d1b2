import CRedis
import Reactor

/// A command in flight; reused for one after the other.
final class ClientCall: RedisCall {
  /// What the answer goes to.
  enum Waiter {
    case nobody
    case single(LoopContinuation<Result<RedisReply, RedisError>>)
    case part(Gathering, Int)
    /// Called within the turn in which the values come, or at once where the command is not sent.
    case values((Result<RedisValues, RedisError>) -> Void)
  }

  @exclusivity(unchecked) private(set) var name = ""
  /// When the command was sent, in nanoseconds of the monotonic clock.
  @exclusivity(unchecked) private(set) var started: UInt64 = 0
  @exclusivity(unchecked) private(set) var bytes = 0
  @exclusivity(unchecked) private var waiter = Waiter.nobody
  @exclusivity(unchecked) var isLate = false
  @exclusivity(unchecked) var next: ClientCall?
  // Invariant 1: the client outlives its calls.
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

  /// Takes the waiter out.
  func takeWaiter() -> Waiter {
    defer { waiter = .nobody }
    return waiter
  }
}

extension ClientCall.Waiter {
  /// Delivers the answer: a reply of hiredis, or the error in its place.
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
