/// Reads a whole JSON text (RFC 8259) into a tree, strictly.
///
/// Beyond the grammar it refuses a byte order mark, invalid UTF-8, lone surrogates, duplicate names, numbers that no
/// double holds and what exceeds the limits. Control characters that are written as escapes pass: whether a string may
/// hold them is a question of its meaning, which `Fields` answers.
package enum JSONReader {
  /// Parses a text that is borrowed for the call; throws if it is not JSON or exceeds `limits`.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .default
  ) throws(JSONError) -> JSONValue {
    guard bytes.count <= limits.bytes else { throw JSONError(kind: .tooLarge, offset: limits.bytes) }
    var scanner = JSONScanner(bytes, limits: limits)
    let value = try scanner.value()
    try scanner.finish()
    return value
  }

  /// Parses a text; throws if it is not JSON or exceeds `limits`.
  package static func parse(_ bytes: [UInt8], limits: JSONLimits = .default) throws(JSONError) -> JSONValue {
    try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
      try parse(UnsafeRawBufferPointer(buffer), limits: limits)
    }
  }
}

extension JSONScanner {
  /// Reads the next value, whatever it is, as a tree; recurses no deeper than the limit on depth.
  package mutating func value() throws(JSONError) -> JSONValue {
    skipWhitespace()
    values += 1
    guard values <= limits.values else { throw JSONError(kind: .tooLarge, offset: offset) }
    switch peek() {
    case UInt8(ascii: "{"): return .object(try object())
    case UInt8(ascii: "["): return .array(try array())
    case UInt8(ascii: "\""): return .string(try string().string)
    case UInt8(ascii: "n"): if try null() { return .null }
    case UInt8(ascii: "t"), UInt8(ascii: "f"): if let bool = try bool() { return .bool(bool) }
    default:
      switch try number() {
      case .integer(let integer): return .integer(integer)
      case .double(let double): return .number(double)
      case nil: break
      }
    }
    throw unexpected()
  }

  private mutating func object() throws(JSONError) -> JSONObject {
    var object = JSONObject()
    guard try enterObject() else { throw unexpected() }
    while let name = try nextMember() {
      guard object.append(name.string, try value()) else {
        throw JSONError(kind: .duplicateName, offset: name.offset)
      }
    }
    return object
  }

  private mutating func array() throws(JSONError) -> [JSONValue] {
    var array: [JSONValue] = []
    guard try enterArray() else { throw unexpected() }
    while try nextElement() { array.append(try value()) }
    return array
  }
}
