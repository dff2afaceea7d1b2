import CRedis

/// The values that an MGET returned, in hiredis' memory: valid only within the call that they are passed to.
package struct RedisValues {
  private let reply: UnsafePointer<redisReply>

  /// Nil when the reply holds something else.
  init?(_ reply: UnsafePointer<redisReply>) {
    guard reply.pointee.type == REDIS_REPLY_ARRAY else { return nil }
    self.reply = reply
  }

  /// The number of keys asked for.
  package var count: Int { reply.pointee.elements }

  /// The value of the key at `position`; nil if it has none.
  package subscript(position: Int) -> UnsafeRawBufferPointer? {
    precondition(position >= 0 && position < count, "no such key")
    guard let value = reply.pointee.element[position], value.pointee.type == REDIS_REPLY_STRING else { return nil }
    return UnsafeRawBufferPointer(start: value.pointee.str, count: value.pointee.len)
  }
}
