import Values

/// A Swift type that can be an element of an array parameter.
package protocol PostgresElement {
  /// The type of an array of these.
  static var arrayType: PostgresType { get }
  /// The type of one of these inside an array.
  static var elementType: PostgresType { get }
  /// Appends one element's binary form; returns false for NULL.
  func encodeElement(into buffer: inout ParameterBuffer) -> Bool
  /// Appends the whole array's binary form.
  static func encodeArray(_ array: [Self], into buffer: inout ParameterBuffer)
}

extension PostgresElement {
  /// Appends the binary form of a one-dimensional array (array_recv in the server's arrayfuncs.c): its header, then
  /// each element after its length.
  package static func encodeArray(_ array: [Self], into buffer: inout ParameterBuffer) {
    let nullFlag = buffer.appendArrayHeader(count: array.count, elementType)
    for element in array {
      let start = buffer.bytes.count
      buffer.append(bigEndian: Int32(-1))
      if element.encodeElement(into: &buffer) {
        buffer.overwrite(Int32(clamping: buffer.bytes.count - start - 4), at: start)
      } else {
        buffer.overwrite(1, at: nullFlag)
      }
    }
  }
}

extension ParameterBuffer {
  /// Appends an array's header: dimensions, whether there are NULLs, element type, then length and lower bound of the
  /// dimension. Returns the offset of the flag for NULLs, which is not set.
  @discardableResult
  mutating func appendArrayHeader(count: Int, _ elementType: PostgresType) -> Int {
    append(bigEndian: Int32(count == 0 ? 0 : 1))
    let nullFlag = bytes.count
    append(bigEndian: Int32(0))
    append(bigEndian: elementType.rawValue)
    if count > 0 {
      append(bigEndian: Int32(clamping: count))
      append(bigEndian: Int32(1))
    }
    return nullFlag
  }
}

extension PostgresElement where Self: PostgresEncodable {
  package static var elementType: PostgresType { postgresType }
  package func encodeElement(into buffer: inout ParameterBuffer) -> Bool { encode(into: &buffer) }
}

extension Bool: PostgresElement { package static var arrayType: PostgresType { .boolArray } }
extension Int16: PostgresElement { package static var arrayType: PostgresType { .int2Array } }
extension Int32: PostgresElement { package static var arrayType: PostgresType { .int4Array } }
extension Int64: PostgresElement { package static var arrayType: PostgresType { .int8Array } }
extension Int: PostgresElement { package static var arrayType: PostgresType { .int8Array } }
extension Float: PostgresElement { package static var arrayType: PostgresType { .float4Array } }
extension Double: PostgresElement { package static var arrayType: PostgresType { .float8Array } }
extension Identifier: PostgresElement { package static var arrayType: PostgresType { .uuidArray } }
extension Timestamp: PostgresElement { package static var arrayType: PostgresType { .timestamptzArray } }
extension CivilDate: PostgresElement { package static var arrayType: PostgresType { .dateArray } }
extension PostgresJSON: PostgresElement { package static var arrayType: PostgresType { .jsonbArray } }

extension String: PostgresElement {
  package static var arrayType: PostgresType { .textArray }
  package static var elementType: PostgresType { .text }
  package func encodeElement(into buffer: inout ParameterBuffer) -> Bool {
    appendBytes(to: &buffer)
    return true
  }
}

/// An array of bytes is one bytea, not an array.
extension UInt8: PostgresElement {
  package static var arrayType: PostgresType { .bytea }
  package static var elementType: PostgresType { .bytea }
  package func encodeElement(into buffer: inout ParameterBuffer) -> Bool {
    buffer.bytes.append(self)
    return true
  }
  package static func encodeArray(_ array: [UInt8], into buffer: inout ParameterBuffer) {
    buffer.bytes.append(contentsOf: array)
  }
}

extension Optional: PostgresElement where Wrapped: PostgresElement {
  package static var arrayType: PostgresType { Wrapped.arrayType }
  package static var elementType: PostgresType { Wrapped.elementType }
  package func encodeElement(into buffer: inout ParameterBuffer) -> Bool {
    guard let value = self else { return false }
    return value.encodeElement(into: &buffer)
  }
}

/// An array of byte arrays is bytea[].
extension Array: PostgresElement where Element == UInt8 {
  package static var arrayType: PostgresType { .byteaArray }
  package static var elementType: PostgresType { .bytea }
  package func encodeElement(into buffer: inout ParameterBuffer) -> Bool {
    buffer.bytes.append(contentsOf: self)
    return true
  }
}

extension Array: PostgresEncodable where Element: PostgresElement {
  package static var postgresType: PostgresType { Element.arrayType }
  package func encode(into buffer: inout ParameterBuffer) -> Bool {
    Element.encodeArray(self, into: &buffer)
    return true
  }
}
