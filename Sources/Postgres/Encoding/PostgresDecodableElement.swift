import Values

/// A Swift type that can be read from an array column: one array of thousands of values costs a fraction of a row for
/// each.
package protocol PostgresDecodableElement: PostgresElement {
  /// Decodes one element's binary form; nil if it is another type's.
  static func decodeElement(_ bytes: UnsafeRawBufferPointer) -> Self?
  /// Decodes a whole array.
  static func decodeArray(_ cell: Cell) throws(PostgresError) -> [Self]
}

extension PostgresDecodableElement {
  /// Reads an array of one dimension without NULLs, or an empty one, in the form of `PostgresElement.encodeArray`.
  package static func decodeArray(_ cell: Cell) throws(PostgresError) -> [Self] {
    let expected = "an array of \(Self.self) without NULLs"
    let bytes = try cell.present(expected)
    guard cell.type == arrayType, bytes.count >= 12 else { throw cell.mismatch(expected) }
    func number(at offset: Int) -> Int {
      Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
    }
    if number(at: 0) == 0 { return [] }
    guard number(at: 0) == 1, number(at: 4) == 0, bytes.count >= 20 else { throw cell.mismatch(expected) }
    let count = number(at: 12)
    var elements: [Self] = []
    elements.reserveCapacity(count)
    var position = 20
    for _ in 0..<count {
      guard position + 4 <= bytes.count, case let end = position + 4 + number(at: position), end <= bytes.count,
        end >= position + 4,
        let element = decodeElement(UnsafeRawBufferPointer(rebasing: bytes[position + 4..<end]))
      else { throw cell.mismatch(expected) }
      elements.append(element)
      position = end
    }
    return elements
  }
}

/// Reads arrays of one dimension without NULLs; of bytes, bytea and the bytes of what is text.
extension Array: PostgresDecodable where Element: PostgresDecodableElement {
  package static func decode(_ cell: Cell) throws(PostgresError) -> [Element] { try Element.decodeArray(cell) }
}

/// An array of bytes is one bytea, not an array.
extension UInt8: PostgresDecodableElement {
  package static func decodeElement(_ bytes: UnsafeRawBufferPointer) -> UInt8? { bytes.first }

  package static func decodeArray(_ cell: Cell) throws(PostgresError) -> [UInt8] {
    let bytes = try cell.present("bytea")
    guard cell.type == .bytea || cell.type.isTextual else { throw cell.mismatch("bytea") }
    return Array(bytes)
  }
}

extension Int64: PostgresDecodableElement {
  package static func decodeElement(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    guard bytes.count == 8 else { return nil }
    return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
  }
}

extension Double: PostgresDecodableElement {
  package static func decodeElement(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard bytes.count == 8 else { return nil }
    return Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
  }
}

extension Timestamp: PostgresDecodableElement {
  package static func decodeElement(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
    Int64.decodeElement(bytes).flatMap { Timestamp(serverMicroseconds: $0) }
  }
}

extension Identifier: PostgresDecodableElement {
  package static func decodeElement(_ bytes: UnsafeRawBufferPointer) -> Identifier? {
    guard bytes.count == 16 else { return nil }
    return Identifier(
      high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }
}

extension String: PostgresDecodableElement {
  package static func decodeElement(_ bytes: UnsafeRawBufferPointer) -> String? {
    String(decoding: bytes, as: UTF8.self)
  }
}
