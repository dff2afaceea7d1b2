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

  private(set) var bytes: [UInt8]
  private let format: LogStyle.Format
  private var isTruncated = false

  /// Continues in the storage of `bytes`, whose content is dropped.
  init(format: LogStyle.Format, reusing bytes: consuming [UInt8] = []) {
    self.format = format
    self.bytes = bytes
    self.bytes.removeAll(keepingCapacity: true)
  }

  /// Gives the storage back, for the next line.
  consuming func release() -> [UInt8] { bytes }

  // MARK: Head and end

  /// Appends what every line begins with.
  mutating func begin(
    _ level: LogLevel, _ message: String, timestamp: [UInt8], style: borrowing LogStyle, context: borrowing LogContext
  ) {
    if format == .json {
      append("{\"timestamp\":\"")
      bytes.append(contentsOf: timestamp)
      append("\",\"level\":\"")
      append(level.name)
      append("\",\"message\":")
      appendQuoted(message)
      bytes.append(contentsOf: style.identity)
    } else {
      beginText(level, message, timestamp)
    }
    if let trace = context.trace {
      key("traceId")
      quoted { trace.traceID.appendText(to: &$0) }
      key("spanId")
      quoted { trace.spanID.appendText(to: &$0) }
    }
    if let requestID = context.requestID { field("requestId", requestID) }
    if let userID = context.userID { field("userId", userID) }
  }

  private mutating func beginText(_ level: LogLevel, _ message: String, _ timestamp: [UInt8]) {
    let isColoured = format == .text(coloured: true)
    bytes.append(contentsOf: timestamp)
    append(" ")
    if isColoured { append(level.colour) }
    let start = bytes.count
    append(level.name)
    while bytes.count < start + 8 { append(" ") }
    if isColoured { append("\u{1B}[0m") }
    append(" ")
    // Escaped as in JSON, so that no control character of a message reaches the terminal.
    appendEscaped(message)
  }

  /// Appends the end of the line, its newline included.
  mutating func end() {
    if isTruncated {
      append(format == .json ? ",\"truncated\":true" : " truncated=true")
    }
    append(format == .json ? "}\n" : "\n")
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
    quoted { Self.appendEscaped(value, to: &$0) }
  }

  /// Adds a constant text field.
  package mutating func field(_ name: StaticString, constant value: StaticString) {
    field(name, utf8: UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
  }

  /// Adds an integer field.
  package mutating func field(_ name: StaticString, _ value: some BinaryInteger) {
    guard key(name) else { return }
    let value = Int64(clamping: value)
    if value < 0 { append("-") }
    appendDecimal(value.magnitude)
  }

  /// Adds a number; NaN and the infinities, which JSON lacks, become null.
  package mutating func field(_ name: StaticString, _ value: Double) {
    guard key(name) else { return }
    if value.isFinite { bytes.append(contentsOf: value.description.utf8) } else { append("null") }
  }

  /// Adds true or false.
  package mutating func field(_ name: StaticString, _ value: Bool) {
    guard key(name) else { return }
    append(value ? "true" : "false")
  }

  /// Adds an id in its text form.
  package mutating func field(_ name: StaticString, _ value: Identifier) {
    guard key(name) else { return }
    quoted { value.appendText(to: &$0) }
  }

  /// Adds a duration as milliseconds with three decimals.
  package mutating func field(_ name: StaticString, millisecondsFrom nanoseconds: UInt64) {
    guard key(name) else { return }
    let microseconds = nanoseconds / 1_000
    appendDecimal(microseconds / 1_000)
    append(".")
    bytes.appendDigits(Int64(microseconds % 1_000), width: 3)
  }

  /// Adds what an error says of itself. For the log only: it may name hosts and statements.
  package mutating func field(_ name: StaticString, error: any Error) {
    field(name, String(describing: error))
  }

  /// Says that a secret is set, or not, and never what it is.
  package mutating func field(_ name: StaticString, secret: String?) {
    field(name, secret == nil ? "unset" : LogRedaction.mask)
  }

  /// Adds a request target with the values of its secret query parameters masked.
  package mutating func field(_ name: StaticString, target: UnsafeRawBufferPointer) {
    guard LogRedaction.needsMasking(target) else { return field(name, utf8: target) }
    field(name, LogRedaction.path(target))
  }

  // MARK: Bytes

  /// Appends the name of a field, or marks the line as truncated when it is full.
  @discardableResult
  private mutating func key(_ name: StaticString) -> Bool {
    guard bytes.count < Self.maximumBytes else {
      isTruncated = true
      return false
    }
    if format == .json {
      append(",\"")
      append(name)
      append("\":")
    } else {
      append(" ")
      append(name)
      append("=")
    }
    return true
  }

  private mutating func append(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func appendQuoted(_ text: String) {
    append("\"")
    appendEscaped(text)
    append("\"")
  }

  private mutating func quoted(_ body: (inout [UInt8]) -> Void) {
    append("\"")
    body(&bytes)
    append("\"")
  }

  private mutating func appendEscaped(_ text: String) {
    var text = text
    text.withUTF8 { Self.appendEscaped(UnsafeRawBufferPointer($0), to: &bytes) }
  }

  private mutating func appendDecimal(_ number: UInt64) {
    var digits = 1
    var power: UInt64 = 10
    while number >= power {
      digits += 1
      let (next, overflow) = power.multipliedReportingOverflow(by: 10)
      if overflow { break }
      power = next
    }
    var divisor: UInt64 = 1
    for _ in 1..<digits { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
      divisor /= 10
    }
  }
}
