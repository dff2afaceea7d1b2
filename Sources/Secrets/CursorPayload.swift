import Values

/// The keys of the last item of a page, appended and taken in the same order.
package struct CursorPayload: Equatable, Sendable {
  private(set) var bytes: [UInt8]
  private var position = 0

  package init() { bytes = [] }

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Appends eight bytes.
  package mutating func append(_ number: Int64) {
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  /// Appends sixteen bytes.
  package mutating func append(_ identifier: Identifier) {
    append(Int64(bitPattern: identifier.high))
    append(Int64(bitPattern: identifier.low))
  }

  /// Appends eight bytes.
  package mutating func append(_ timestamp: Timestamp) { append(timestamp.unixMilliseconds) }

  /// Appends a text of at most 255 bytes, as names of sensor types are.
  package mutating func append(_ text: String) {
    precondition(text.utf8.count <= 255)
    bytes.append(UInt8(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// Takes what `append(_: Int64)` appended; throws where the payload is too short for it, as each of these does.
  package mutating func takeInteger() throws(CursorError) -> Int64 {
    var number: UInt64 = 0
    for byte in try take(8) { number = number << 8 | UInt64(byte) }
    return Int64(bitPattern: number)
  }

  /// Takes an identifier.
  package mutating func takeIdentifier() throws(CursorError) -> Identifier {
    let high = UInt64(bitPattern: try takeInteger())
    return Identifier(high: high, low: UInt64(bitPattern: try takeInteger()))
  }

  /// Takes a timestamp.
  package mutating func takeTimestamp() throws(CursorError) -> Timestamp {
    Timestamp(unixMilliseconds: try takeInteger())
  }

  /// Takes a text; also throws for what is not UTF-8.
  package mutating func takeText() throws(CursorError) -> String {
    guard let count = try take(1).first, let text = String(validating: try take(Int(count)), as: UTF8.self) else {
      throw CursorError()
    }
    return text
  }

  private mutating func take(_ count: Int) throws(CursorError) -> ArraySlice<UInt8> {
    guard position + count <= bytes.count else { throw CursorError() }
    defer { position += count }
    return bytes[position..<position + count]
  }
}
