/// A cursor that was not made by this server for this list: answered as 400.
package struct CursorError: Error, Equatable, Sendable {}

/// Seals the place where a list goes on, so that clients can neither make sense of it nor alter it.
///
/// The text is Base64 of the payload and half an HMAC-SHA256 over the list's name and the payload. Not Sendable: each
/// loop has its own.
package final class CursorSeal {
  /// The longest cursor that is looked at.
  package static let maximumLength = 1_024
  private static let codeLength = 16

  private let codes: [MessageAuthentication]

  /// The first key seals; the others open what was sealed before.
  package init(keys: [[UInt8]]) { codes = keys.map { MessageAuthentication(key: $0) } }

  /// The text of a cursor of `list`, which is its route and everything that decides what it holds.
  package func seal(_ payload: CursorPayload, list: String) -> String {
    let code = codes[0].code(of: Self.message(payload.bytes[...], list)).prefix(Self.codeLength)
    return Base64.url.encoded(payload.bytes + code)
  }

  /// The payload of a cursor of `list`; throws for anything else.
  package func open(_ text: String, list: String) throws(CursorError) -> CursorPayload {
    guard text.utf8.count <= Self.maximumLength, let bytes = Base64.url.decode(text),
      bytes.count > Self.codeLength
    else { throw CursorError() }
    let payload = bytes.dropLast(Self.codeLength)
    let code = Array(bytes.suffix(Self.codeLength))
    let isSealed = Self.message(payload, list).withUnsafeBytes { message in
      codes.contains { $0.isValid(code, of: message) }
    }
    guard isSealed else { throw CursorError() }
    return CursorPayload(Array(payload))
  }

  private static func message(_ payload: ArraySlice<UInt8>, _ list: String) -> [UInt8] {
    // A zero byte parts them, and no name of a list has one.
    Array(list.utf8) + [0] + payload
  }
}
