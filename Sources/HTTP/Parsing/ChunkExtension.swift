/// Checks the extensions behind a chunk's size byte by byte, and ignores their meaning (RFC 9112, section 7.1.1).
struct ChunkExtension {
  private enum State {
    /// Behind the size or a value: white space, then a semicolon.
    case between
    case beforeName
    case name
    /// White space behind a name: an equals sign or a semicolon must follow.
    case afterName
    case beforeValue
    case value
    case quoted
    /// Behind a backslash within quotes.
    case escaped
    case afterQuotes
  }

  private var state = State.between

  /// Whether the line may end here.
  var isComplete: Bool {
    switch state {
    case .name, .value, .afterQuotes: true
    case .between, .beforeName, .afterName, .beforeValue, .quoted, .escaped: false
    }
  }

  /// Takes the next byte; returns false if the grammar does not allow it here.
  mutating func take(_ byte: UInt8) -> Bool {
    guard let next = next(byte) else { return false }
    state = next
    return true
  }

  private func next(_ byte: UInt8) -> State? {
    let isBlank = byte == ASCII.space || byte == ASCII.tab
    let isSemicolon = byte == UInt8(ascii: ";")
    let isEquals = byte == UInt8(ascii: "=")
    let isText = isBlank || !ASCII.isControl(byte)
    return switch state {
    case .between: isSemicolon ? .beforeName : isBlank ? .between : nil
    case .beforeName: ASCII.isToken(byte) ? .name : isBlank ? .beforeName : nil
    case .name where ASCII.isToken(byte): .name
    case .name, .afterName: isSemicolon ? .beforeName : isEquals ? .beforeValue : isBlank ? .afterName : nil
    case .beforeValue where byte == UInt8(ascii: "\""): .quoted
    case .beforeValue: ASCII.isToken(byte) ? .value : isBlank ? .beforeValue : nil
    case .value where ASCII.isToken(byte): .value
    case .value, .afterQuotes: isSemicolon ? .beforeName : isBlank ? .between : nil
    case .quoted where byte == UInt8(ascii: "\""): .afterQuotes
    case .quoted: byte == UInt8(ascii: "\\") ? .escaped : isText ? .quoted : nil
    case .escaped: isText ? .quoted : nil
    }
  }
}
