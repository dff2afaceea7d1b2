import Glibc
import Values

/// A Swift type whose values can be bound to a statement's parameters.
///
/// Numbers, ids and times are sent in the server's binary form and declared with their type. A String is sent as text
/// of a type that the server infers, as a quoted literal would be: it fits text, varchar, enums, jsonb and the rest.
package protocol PostgresEncodable {
  /// The type that the parameter is declared to have.
  static var postgresType: PostgresType { get }
  /// Whether values are sent in text form, ended by a zero byte, rather than in binary.
  static var isText: Bool { get }
  /// Appends the value's bytes to `buffer.bytes`; returns false for NULL.
  func encode(into buffer: inout ParameterBuffer) -> Bool
}

extension PostgresEncodable {
  package static var isText: Bool { false }
}

extension Bool: PostgresEncodable {
  package static var postgresType: PostgresType { .bool }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.bytes.append(self ? 1 : 0)
    return true
  }
}

extension Int16: PostgresEncodable {
  package static var postgresType: PostgresType { .int2 }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.append(bigEndian: self)
    return true
  }
}

extension Int32: PostgresEncodable {
  package static var postgresType: PostgresType { .int4 }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.append(bigEndian: self)
    return true
  }
}

extension Int64: PostgresEncodable {
  package static var postgresType: PostgresType { .int8 }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.append(bigEndian: self)
    return true
  }
}

/// An Int is an int8, whatever the column is; the server casts on assignment.
extension Int: PostgresEncodable {
  package static var postgresType: PostgresType { .int8 }
  package func encode(into buffer: inout ParameterBuffer) -> Bool { Int64(self).encode(into: &buffer) }
}

extension Float: PostgresEncodable {
  package static var postgresType: PostgresType { .float4 }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.append(bigEndian: bitPattern)
    return true
  }
}

extension Double: PostgresEncodable {
  package static var postgresType: PostgresType { .float8 }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.append(bigEndian: bitPattern)
    return true
  }
}

extension String: PostgresEncodable {
  package static var postgresType: PostgresType { .inferred }
  package static var isText: Bool { true }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    appendBytes(to: &buffer)
    buffer.bytes.append(0)
    return true
  }

  func appendBytes(to buffer: inout ParameterBuffer) {
    let start = buffer.bytes.count
    buffer.bytes.append(contentsOf: utf8)
    buffer.bytes.withUnsafeBytes { bytes in
      guard bytes.count > start else { return }
      if memchr(bytes.baseAddress! + start, 0, bytes.count - start) != nil { buffer.holdsNul = true }
    }
  }
}

extension Identifier: PostgresEncodable {
  package static var postgresType: PostgresType { .uuid }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.append(bigEndian: high)
    buffer.append(bigEndian: low)
    return true
  }
}

extension Timestamp: PostgresEncodable {
  /// Milliseconds from 1970 to 2000, where the server's clock begins.
  static let serverEpochMilliseconds: Int64 = 946_684_800_000
  /// The server's bounds, 4714-11-24 BC (inclusive) and 294277-01-01 (exclusive), in milliseconds since 1970.
  static let serverRange: Range<Int64> = -210_866_803_200_000..<9_224_318_016_000_000

  package static var postgresType: PostgresType { .timestamptz }
  /// Encodes a moment outside the server's range as its infinity, which comparisons understand.
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    if Self.serverRange.contains(unixMilliseconds) {
      buffer.append(bigEndian: (unixMilliseconds - Self.serverEpochMilliseconds) * 1_000)
    } else {
      buffer.append(bigEndian: unixMilliseconds < 0 ? Int64.min : Int64.max)
    }
    return true
  }
}

extension CivilDate: PostgresEncodable {
  /// Days from 1970 to 2000, where the server's calendar begins.
  static let serverEpochDays: Int64 = 10_957

  package static var postgresType: PostgresType { .date }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.append(bigEndian: Int32(clamping: daysSinceEpoch - Self.serverEpochDays))
    return true
  }
}

/// JSON text on its way into or out of a jsonb column: the bytes as they are, checked by the server.
package struct PostgresJSON: PostgresEncodable, Hashable, Sendable {
  package var bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package static var postgresType: PostgresType { .jsonb }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    // The binary form of jsonb is its version, 1, and the text.
    buffer.bytes.append(1)
    buffer.bytes.append(contentsOf: bytes)
    return true
  }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
  package static var postgresType: PostgresType { Wrapped.postgresType }
  package static var isText: Bool { Wrapped.isText }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    guard let value = self else { return false }
    return value.encode(into: &buffer)
  }
}
