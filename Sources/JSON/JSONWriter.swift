import Values

/// Writes JSON text (RFC 8259) straight into bytes, with the commas where they belong.
///
/// Keys and values are written in the order of the text; the caller sees to it that each key is followed by one value.
/// Nothing is allocated but the growth of `bytes`.
package struct JSONWriter {
  /// What has been written.
  package private(set) var bytes: [UInt8]
  private var needsComma = false

  /// A writer that continues `bytes`, which may hold anything, such as earlier lines of NDJSON.
  package init(continuing bytes: consuming [UInt8] = []) { self.bytes = bytes }

  /// A writer of a text that has about as many bytes, for which it makes room at once.
  package init(reserving count: Int) {
    bytes = []
    bytes.reserveCapacity(count)
  }

  /// Returns the JSON text of `value`.
  package static func bytes(of value: some JSONWritable) -> [UInt8] {
    var json = JSONWriter()
    value.write(to: &json)
    return json.bytes
  }

  /// Returns the bytes written and leaves the writer empty.
  package mutating func take() -> [UInt8] {
    defer { needsComma = false }
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    return taken
  }

  // MARK: Structure

  /// Writes an object, whose members `body` writes.
  package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
    begin(UInt8(ascii: "{"))
    try body(&self)
    end(UInt8(ascii: "}"))
  }

  /// Writes an array, whose elements `body` writes.
  package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
    begin(UInt8(ascii: "["))
    try body(&self)
    end(UInt8(ascii: "]"))
  }

  /// Writes a member.
  package mutating func member(_ name: StaticString, _ value: some JSONWritable) {
    key(name)
    value.write(to: &self)
  }

  /// Writes a member unless the value is nil.
  package mutating func member(_ name: StaticString, ifPresent value: (some JSONWritable)?) {
    if let value { member(name, value) }
  }

  /// Writes a member's name, which must not need escaping; its value comes next.
  package mutating func key(_ name: StaticString) {
    bytes.append(upTo: name.utf8CodeUnitCount + 4) { text in
      if needsComma { text.append(UInt8(ascii: ",")) }
      text.append(UInt8(ascii: "\""))
      text.append(name)
      text.append("\":")
    }
    needsComma = false
  }

  /// Writes a member's name, escaped where necessary; its value comes next.
  package mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  // MARK: Values

  /// Writes a value.
  package mutating func value(_ value: some JSONWritable) { value.write(to: &self) }

  package mutating func null() { raw("null") }

  package mutating func bool(_ bool: Bool) { raw(bool ? "true" : "false") }

  /// Writes a string, escaped where necessary (section 7).
  package mutating func string(_ string: String) {
    separate()
    bytes.appendQuoted(string)
  }

  /// Writes an integer.
  package mutating func integer(_ integer: Int64) {
    separate()
    bytes.appendDecimal(integer)
  }

  /// Writes a number with the fewest digits that read back as it, or null if it is not finite.
  package mutating func number(_ number: Double) {
    separate()
    bytes.appendDecimal(number)
  }

  /// Writes a value that is JSON already.
  package mutating func raw(_ text: StaticString) {
    separate()
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Writes a value that is JSON already.
  package mutating func raw(_ text: [UInt8]) {
    separate()
    bytes.append(contentsOf: text)
  }

  /// Writes a string whose content `write` appends: at most `length` bytes, none of which needs escaping.
  @inline(__always)
  mutating func quoted(upTo length: Int, _ write: (inout ByteCursor) -> Void) {
    separate()
    bytes.append(upTo: length + 2) { output in
      output.append(UInt8(ascii: "\""))
      write(&output)
      output.append(UInt8(ascii: "\""))
    }
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }
}
