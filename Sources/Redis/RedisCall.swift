import CRedis

/// Whoever waits for one reply of a link. hiredis holds it as `privdata`, retained until it is called, exactly once.
class RedisCall {
  /// Called with the reply, which is hiredis' own, or with nil when the link goes away without one.
  func received(_ reply: UnsafePointer<redisReply>?) {}
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
