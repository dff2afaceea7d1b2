/// Why a text is not JSON (RFC 8259), and where.
package struct JSONError: Error, Equatable {
  package enum Kind: Sendable {
    /// The text ends before its value does.
    case unexpectedEnd
    /// A byte that no JSON text has at this place.
    case unexpectedByte
    /// A value is followed by more than white space.
    case trailingBytes
    /// The text begins with a byte order mark.
    case byteOrderMark
    /// A control character stands in a string without an escape.
    case controlCharacter
    /// A string holds bytes that are not UTF-8 (RFC 3629).
    case invalidUTF8
    /// A backslash does not begin a valid escape.
    case invalidEscape
    /// Half of a surrogate pair stands alone.
    case loneSurrogate
    /// A number is not written as JSON writes numbers, such as `01` or `1.`.
    case invalidNumber
    /// A number is beyond what a double can hold, or longer than the limit.
    case numberTooLarge
    /// An object names a member twice.
    case duplicateName
    /// More nesting than the limit.
    case tooDeep
    /// More bytes or values than the limit.
    case tooLarge
  }

  package let kind: Kind
  /// The offset of the offending byte from the beginning of the text.
  package let offset: Int

  /// One line for clients; it holds nothing of the text itself.
  package var message: String {
    let reason =
      switch kind {
      case .unexpectedEnd: "The JSON text ends too early"
      case .unexpectedByte: "An unexpected character stands in the JSON text"
      case .trailingBytes: "Something follows the JSON value"
      case .byteOrderMark: "The JSON text begins with a byte order mark"
      case .controlCharacter: "A string holds an unescaped control character"
      case .invalidUTF8: "A string is not valid UTF-8"
      case .invalidEscape: "A string holds an invalid escape"
      case .loneSurrogate: "A string holds a lone surrogate"
      case .invalidNumber: "A number is malformed"
      case .numberTooLarge: "A number is too large"
      case .duplicateName: "An object names a member twice"
      case .tooDeep: "The JSON text is nested too deeply"
      case .tooLarge: "The JSON text is too large"
      }
    return "\(reason) (at byte \(offset))."
  }
}
