import Reactor

/// Gathers the answers of a pipeline, and resumes its caller with the last of them.
final class Gathering {
  private var replies: [RedisReply]
  private var failure: RedisError?
  private var missing: Int
  private let continuation: LoopContinuation<Result<[RedisReply], RedisError>>

  init(count: Int, _ continuation: LoopContinuation<Result<[RedisReply], RedisError>>) {
    replies = Array(repeating: .null, count: count)
    missing = count
    self.continuation = continuation
  }

  func take(_ result: Result<RedisReply, RedisError>, _ index: Int) {
    switch result {
    case .success(let reply): replies[index] = reply
    case .failure(.server(let message)): replies[index] = .error(message)
    case .failure(let error): failure = failure ?? error
    }
    missing -= 1
    if missing == 0 { continuation.resume(returning: failure.map { .failure($0) } ?? .success(replies)) }
  }
}
