import Values

/// One log line while it is being built: fields are appended as bytes, escaped, in the order of the calls.
///
/// Bounded: a value is cut after `maximumValueBytes`, and fields beyond `maximumBytes` are left out, which the line
/// then says by `truncated`.
package struct LogLine: ~Copyable {
  /// The most bytes of one text value; the rest is replaced by an ellipsis.
  package static let maximumValueBytes = 4_096
  /// The length from which on no more fields are added.
  package static let maximumBytes = 16_384

  /// The memory a line needs at most: text grows sixfold when all of it is escaped, and the identity comes on top.
  static let memoryBytes = 131_072

  /// The longest line at a terminal, in columns, unless it is a warning or worse.
  static let terminalColumns = 100

  private(set) var bytes: ByteCursor
  private let format: LogStyle.Format
  private var isBounded = false
  private var isTruncated = false

  /// Makes a line in `memory`, which has `memoryBytes`.
  init(format: LogStyle.Format, in memory: UnsafeMutableRawBufferPointer) {
    self.format = format
    bytes = ByteCursor(memory)
  }

  // MARK: Head and end

  /// Appends what every line begins with.
  mutating func begin(
    _ level: LogLevel, _ message: String, timestamp: [UInt8], identity: [UInt8], context: borrowing LogContext
  ) {
    if format == .json {
      bytes.append("{\"timestamp\":\"")
      bytes.append(timestamp)
      bytes.append("\",\"level\":\"")
      bytes.append(level.name)
      bytes.append("\",\"message\":")
      appendQuoted(message)
      bytes.append(identity)
    } else {
      beginText(level, message, timestamp)
    }
    if let trace = context.trace {
      hexField("traceId", trace.traceID.high, trace.traceID.low)
      hexField("spanId", trace.spanID.value)
    }
    if let requestID = context.requestID { field("requestId", requestID) }
    if let userID = context.userID { field("userId", userID) }
  }

  private mutating func beginText(_ level: LogLevel, _ message: String, _ timestamp: [UInt8]) {
    if format == .text(coloured: true) { return beginTerminal(level, message, timestamp) }
    bytes.append(timestamp)
    bytes.append(" ")
    let start = bytes.count
    bytes.append(level.name)
    while bytes.count < start + 9 { bytes.append(" ") }
    // Escaped as in JSON, so that no control character of a message reaches the terminal.
    appendEscaped(message)
  }

  /// The time of day (UTC), the level unless it is the usual one, and the message; all that follows is dimmed.
  private mutating func beginTerminal(_ level: LogLevel, _ message: String, _ timestamp: [UInt8]) {
    isBounded = level < .warning
    timestamp.withUnsafeBytes { bytes.append(UnsafeRawBufferPointer(rebasing: $0[11..<19])) }
    bytes.append(" ")
    if level != .info {
      bytes.append(level.colour)
      bytes.append(level.name)
      bytes.append("\u{1B}[0m ")
    }
    appendEscaped(message)
    bytes.append("\u{1B}[2m")
  }

  /// Appends the end of the line, its newline included.
  mutating func end() {
    if isTruncated {
      bytes.append(format == .json ? ",\"truncated\":true" : " truncated=true")
    }
    if format == .text(coloured: true) {
      if isBounded { cutToTerminal() }
      bytes.append("\u{1B}[0m")
    }
    bytes.append(format == .json ? "}\n" : "\n")
  }

  /// Cuts a line of more than `terminalColumns` columns, with an ellipsis in the last; escape sequences take no column.
  private mutating func cutToTerminal() {
    let written = bytes.written
    var (columns, isSequence, last) = (0, false, 0)
    for (index, byte) in written.enumerated() {
      if byte == 0x1B { isSequence = true }
      if isSequence {
        isSequence = byte != UInt8(ascii: "m")
        continue
      }
      // What is none of UTF-8's continuation bytes begins a column.
      guard byte & 0xC0 != 0x80 else { continue }
      columns += 1
      if columns == Self.terminalColumns { last = index }
    }
    guard columns > Self.terminalColumns else { return }
    bytes.cut(to: last)
    bytes.append("…")
  }

  // MARK: Fields

  /// Adds a text field.
  package mutating func field(_ name: StaticString, _ value: String) {
    guard key(name) else { return }
    appendQuoted(value)
  }

  /// Adds a text field unless the value is nil.
  package mutating func field(_ name: StaticString, _ value: String?) {
    if let value { field(name, value) }
  }

  /// Adds a text field from bytes as they came from outside; what is not UTF-8 becomes U+FFFD.
  package mutating func field(_ name: StaticString, utf8 value: UnsafeRawBufferPointer) {
    guard key(name) else { return }
    bytes.append(UInt8(ascii: "\""))
    Self.appendEscaped(value, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  /// Adds a constant text field.
  package mutating func field(_ name: StaticString, constant value: StaticString) {
    field(name, utf8: UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
  }

  /// Adds an integer field.
  package mutating func field(_ name: StaticString, _ value: Int) {
    guard key(name) else { return }
    bytes.appendDecimal(Int64(value))
  }

  /// Adds an integer field.
  package mutating func field(_ name: StaticString, _ value: UInt64) {
    guard key(name) else { return }
    bytes.appendDecimal(value)
  }

  /// Adds a number; NaN and the infinities, which JSON lacks, become null.
  package mutating func field(_ name: StaticString, _ value: Double) {
    guard key(name) else { return }
    guard value.isFinite else { return bytes.append("null") }
    appendEscaped(value.description)
  }

  /// Adds true or false.
  package mutating func field(_ name: StaticString, _ value: Bool) {
    guard key(name) else { return }
    bytes.append(value ? "true" : "false")
  }

  /// Adds an id in its text form.
  package mutating func field(_ name: StaticString, _ value: Identifier) {
    guard key(name) else { return }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(value)
    bytes.append(UInt8(ascii: "\""))
  }

  /// Adds a duration as milliseconds with three decimals.
  package mutating func field(_ name: StaticString, millisecondsFrom nanoseconds: UInt64) {
    guard key(name) else { return }
    let microseconds = nanoseconds / 1_000
    bytes.appendDecimal(microseconds / 1_000)
    bytes.append(UInt8(ascii: "."))
    bytes.appendDecimal(microseconds % 1_000, width: 3)
  }

  /// Adds what an error says of itself. For the log only: it may name hosts and statements.
  package mutating func field(_ name: StaticString, error: any Error) {
    field(name, String(describing: error))
  }

  /// Adds whether a secret is set, and never what it is.
  package mutating func field(_ name: StaticString, secret: String?) {
    field(name, secret == nil ? "unset" : LogRedaction.mask)
  }

  /// Adds a request target with the values of its secret query parameters masked.
  package mutating func field(_ name: StaticString, target: UnsafeRawBufferPointer) {
    guard LogRedaction.needsMasking(target) else { return field(name, utf8: target) }
    field(name, LogRedaction.path(target))
  }

  // MARK: Bytes

  /// Appends the name of a field and returns true; marks a full line as truncated instead.
  private mutating func key(_ name: StaticString) -> Bool {
    guard bytes.count < Self.maximumBytes else {
      isTruncated = true
      return false
    }
    if format == .json {
      bytes.append(",\"")
      bytes.append(name)
      bytes.append("\":")
    } else {
      bytes.append(UInt8(ascii: " "))
      bytes.append(name)
      bytes.append(UInt8(ascii: "="))
    }
    return true
  }

  private mutating func hexField(_ name: StaticString, _ first: UInt64, _ second: UInt64? = nil) {
    guard key(name) else { return }
    bytes.append(UInt8(ascii: "\""))
    appendHex(first)
    if let second { appendHex(second) }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendHex(_ word: UInt64) {
    bytes.appendHex(UInt32(truncatingIfNeeded: word >> 32))
    bytes.appendHex(UInt32(truncatingIfNeeded: word))
  }

  private mutating func appendQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    appendEscaped(text)
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendEscaped(_ text: String) {
    var text = text
    text.withUTF8 { Self.appendEscaped(UnsafeRawBufferPointer($0), to: &bytes) }
  }
}
