import CRedis

/// The receiver of one reply of a link. hiredis holds it as `privdata`, retained until it is called, exactly once.
class RedisCall {
  /// Called with the reply, which belongs to hiredis, or with nil if the link ends without one.
  func received(_ reply: UnsafePointer<redisReply>?) {}
}

/// Receives the answer to a command that the owner of a link sends by itself.
final class LinkCall: RedisCall {
  private let answered: (RedisReply?) -> Void
  init(_ answered: @escaping (RedisReply?) -> Void) { self.answered = answered }

  override func received(_ reply: UnsafePointer<redisReply>?) { answered(reply.map(RedisReply.init)) }
}

/// The reply function of a `RedisCall`, given to hiredis together with the retained call.
func redisCallReceived(
  _ context: UnsafeMutablePointer<redisAsyncContext>?, _ reply: UnsafeMutableRawPointer?,
  _ privdata: UnsafeMutableRawPointer?
) {
  guard let privdata else { return }
  let call = Unmanaged<RedisCall>.fromOpaque(privdata).takeRetainedValue()
  call.received(reply.map { UnsafePointer($0.assumingMemoryBound(to: redisReply.self)) })
}
