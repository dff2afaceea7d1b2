import Values

/// A cursor that was not made by this server for this list: answered as 400.
package struct CursorError: Error, Equatable, Sendable {}

/// Seals the place where a list goes on, so that clients can neither read sense into it nor alter it.
///
/// The text is Base64 of the payload and half an HMAC-SHA256 over the list's name and the payload. Not Sendable: each
/// loop has its own.
package final class CursorSeal {
  /// The longest cursor that is looked at.
  package static let maximumLength = 1_024
  private static let codeLength = 16

  private let key: MessageAuthentication
  private let previousKey: MessageAuthentication?

  /// The keys are derived from the secrets of tokens, so that neither serves as the other.
  package init(secret: [UInt8], previousSecret: [UInt8]? = nil) {
    key = Self.derivedKey(secret)
    previousKey = previousSecret.map(Self.derivedKey)
  }

  private static func derivedKey(_ secret: [UInt8]) -> MessageAuthentication {
    MessageAuthentication(key: MessageAuthentication(key: secret).code(of: Array("terroir cursor 1".utf8)))
  }

  /// The text of a cursor of that list. A list is its route and everything that decides what it holds.
  package func seal(_ payload: CursorPayload, list: String) -> String {
    let code = key.code(of: Self.message(payload.bytes[...], list)).prefix(Self.codeLength)
    return Base64.url.encoded(payload.bytes + code)
  }

  /// The payload of a cursor of that list; anything else throws.
  package func open(_ text: String, list: String) throws(CursorError) -> CursorPayload {
    guard text.utf8.count <= Self.maximumLength, let bytes = Base64.url.decode(text),
      bytes.count > Self.codeLength
    else { throw CursorError() }
    let payload = bytes.dropLast(Self.codeLength)
    let code = Array(bytes.suffix(Self.codeLength))
    let isSealed = Self.message(payload, list).withUnsafeBytes { message in
      key.isValid(code, of: message) || previousKey?.isValid(code, of: message) ?? false
    }
    guard isSealed else { throw CursorError() }
    return CursorPayload(Array(payload))
  }

  private static func message(_ payload: ArraySlice<UInt8>, _ list: String) -> [UInt8] {
    // A zero byte parts them, and no name of a list has one.
    Array(list.utf8) + [0] + payload
  }
}

/// The keys of the last item of a page, appended and taken in the same order.
package struct CursorPayload: Equatable, Sendable {
  fileprivate private(set) var bytes: [UInt8]
  private var position = 0

  package init() { bytes = [] }

  fileprivate init(_ bytes: [UInt8]) { self.bytes = bytes }

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

  /// Takes a text; throws for what is no UTF-8 as well.
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
