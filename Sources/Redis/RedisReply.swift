import CRedis

/// An answer of Redis (RESP2), copied out of hiredis' memory.
package enum RedisReply: Equatable, Sendable {
  case null
  case integer(Int64)
  case string([UInt8])
  /// A simple string such as `OK`.
  case status(String)
  case array([RedisReply])
  /// An error: within an array or a pipeline only, since a lone one is thrown.
  case error(String)

  /// Copies a reply. The recursion ends: hiredis refuses arrays nested deeper than seven.
  init(_ reply: UnsafePointer<redisReply>) {
    switch reply.pointee.type {
    case REDIS_REPLY_STRING: self = .string(Self.bytes(reply))
    case REDIS_REPLY_INTEGER: self = .integer(Int64(reply.pointee.integer))
    case REDIS_REPLY_STATUS: self = .status(String(decoding: Self.bytes(reply), as: UTF8.self))
    case REDIS_REPLY_ERROR: self = .error(String(decoding: Self.bytes(reply), as: UTF8.self))
    case REDIS_REPLY_ARRAY:
      self = .array((0..<reply.pointee.elements).map { RedisReply(reply.pointee.element[$0]!) })
    default: self = .null
    }
  }

  static func bytes(_ reply: UnsafePointer<redisReply>) -> [UInt8] {
    guard let text = reply.pointee.str else { return [] }
    return [UInt8](UnsafeRawBufferPointer(start: text, count: reply.pointee.len))
  }
}

extension RedisReply {
  /// The bytes of a string or status; nil for anything else.
  package var bytes: [UInt8]? {
    switch self {
    case .string(let bytes): bytes
    case .status(let text): [UInt8](text.utf8)
    default: nil
    }
  }

  /// The text of a string or status, invalid UTF-8 repaired; nil for anything else.
  package var text: String? {
    switch self {
    case .string(let bytes): String(decoding: bytes, as: UTF8.self)
    case .status(let text): text
    default: nil
    }
  }

  /// The number of an integer, or of a string of decimal digits, as GET returns for a counter; nil for anything else.
  package var integer: Int64? {
    switch self {
    case .integer(let number): number
    case .string(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
    default: nil
    }
  }

  /// The elements of an array; nil for anything else.
  package var array: [RedisReply]? {
    if case .array(let elements) = self { return elements }
    return nil
  }
}
