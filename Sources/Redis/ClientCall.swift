/// A command that waits for its answer.
final class ClientCall: RedisCall {
  /// Whom the answer goes to.
  enum Waiter {
    case single(UnsafeContinuation<Result<RedisReply, RedisError>, Never>)
    case part(Gathering, Int)

    func resume(_ result: Result<RedisReply, RedisError>) {
      switch self {
      case .single(let continuation): continuation.resume(returning: result)
      case .part(let gathering, let index): gathering.take(result, index)
      }
    }
  }

  let name: String
  /// Nanoseconds of the monotonic clock.
  let started: UInt64
  let bytes: Int
  let waiter: Waiter
  @exclusivity(unchecked) var isLate = false
  @exclusivity(unchecked) var next: ClientCall?
  private unowned(unsafe) let client: RedisClient

  init(_ client: RedisClient, _ name: String, at started: UInt64, bytes: Int, _ waiter: Waiter) {
    self.client = client
    self.name = name
    self.started = started
    self.bytes = bytes
    self.waiter = waiter
  }

  override func received(_ reply: RedisReply?) { client.settle(self, reply) }
}
