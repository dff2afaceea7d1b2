/// One argument of a command: the command's name, a key or a value. Binary safe.
package enum RedisArgument: Sendable {
  case text(String)
  case bytes([UInt8])
  case integer(Int64)

  /// Its length in bytes, or for a number the greatest possible one.
  var byteCount: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .bytes(let bytes): bytes.count
    case .integer: 20
    }
  }
}

extension RedisArgument: ExpressibleByStringInterpolation {
  package init(stringLiteral value: String) { self = .text(value) }
}

extension RedisArgument: ExpressibleByIntegerLiteral {
  package init(integerLiteral value: Int64) { self = .integer(value) }
}
