import Values

/// An array parameter that is built element by element in the server's binary form, for statements of thousands of
/// rows.
///
/// It costs neither an array of values nor a generic call for each of them.
package struct ArrayBuilder<Element: PostgresElement>: PostgresEncodable {
  package static var postgresType: PostgresType { Element.arrayType }

  private var bytes: [UInt8] = []
  /// The number of elements so far.
  package private(set) var count = 0

  /// Makes an empty array with room for `capacity` bytes: those of the elements and 4 for the length of each.
  package init(reservingBytes capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    buffer.appendArrayHeader(count: count, Element.elementType)
    buffer.bytes.append(contentsOf: bytes)
    return true
  }

  @inline(__always)
  private mutating func append(length: Int32, _ first: UInt64) {
    bytes.append(addingCapacity: 12) { output in
      output.withUnsafeMutableBufferPointer { buffer, initialized in
        let raw = UnsafeMutableRawPointer(buffer.baseAddress!)
        raw.storeBytes(of: length.bigEndian, as: Int32.self)
        raw.storeBytes(of: first.bigEndian, toByteOffset: 4, as: UInt64.self)
        initialized = 12
      }
    }
    count += 1
  }
}

extension ArrayBuilder where Element == Identifier {
  package mutating func append(_ identifier: Identifier) {
    append(length: 16, identifier.high)
    withUnsafeBytes(of: identifier.low.bigEndian) { bytes.append(contentsOf: $0) }
  }
}

extension ArrayBuilder where Element == Int64 {
  package mutating func append(_ number: Int64) { append(length: 8, UInt64(bitPattern: number)) }
}

extension ArrayBuilder where Element == Double {
  package mutating func append(_ number: Double) { append(length: 8, number.bitPattern) }
}

extension ArrayBuilder where Element == Timestamp {
  /// Appends a moment, which must be within the server's range.
  package mutating func append(_ timestamp: Timestamp) {
    append(
      length: 8,
      UInt64(bitPattern: (timestamp.unixMilliseconds - Timestamp.serverEpochMilliseconds) * 1_000))
  }
}

extension ArrayBuilder where Element == String {
  /// Appends a text as UTF-8, which must not hold U+0000.
  package mutating func append(utf8 text: [UInt8]) {
    withUnsafeBytes(of: Int32(text.count).bigEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: text)
    count += 1
  }
}
