import Values

/// Reads JSON text (RFC 8259) value by value, without building a tree.
///
/// The caller asks for what it expects next, and the scanner steps over it: `enterObject` and `nextMember`,
/// `enterArray` and `nextElement`, `text`, `number`, `bool`, `null`. Each returns nil or false, and consumes nothing,
/// when the next value is of another kind; `value()` then reads whatever it is. After `nextMember` or `nextElement`
/// exactly one value must be read. What is not JSON throws. Duplicate names are left to the caller, except within
/// `value()`.
///
/// The scanner is a value: a copy keeps a position to go back to. It refers to the bytes, which must outlive it.
package struct JSONScanner {
  let bytes: UnsafeRawBufferPointer
  let limits: JSONLimits
  /// The position of the next byte, counted from the beginning of the text.
  package internal(set) var offset = 0
  /// The number of values that `value()` has built, bounded by `limits.values`.
  var values = 0
  private var depth = 0
  /// Whether the scanner has just entered an object or array and read nothing of it yet.
  private var isFirst = false

  package init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .default) {
    self.bytes = bytes
    self.limits = limits
  }

  // MARK: Objects and arrays

  /// Steps into an object, if one is next.
  package mutating func enterObject() throws(JSONError) -> Bool {
    try enter(UInt8(ascii: "{"))
  }

  /// Steps to the next member of the object and over its name and colon; nil, and out of the object, at its end.
  package mutating func nextMember() throws(JSONError) -> JSONText? {
    guard try next(before: UInt8(ascii: "}")) else { return nil }
    guard peek() == UInt8(ascii: "\"") else { throw unexpected() }
    let name = try string()
    skipWhitespace()
    guard peek() == UInt8(ascii: ":") else { throw unexpected() }
    offset += 1
    return name
  }

  /// Steps into an array, if one is next.
  package mutating func enterArray() throws(JSONError) -> Bool {
    try enter(UInt8(ascii: "["))
  }

  /// Whether the array has another element, which is then next; steps out of the array at its end.
  package mutating func nextElement() throws(JSONError) -> Bool {
    guard try next(before: UInt8(ascii: "]")) else { return false }
    // `[1,]`: a comma promises an element.
    guard peek() != UInt8(ascii: "]") else { throw unexpected() }
    return true
  }

  private mutating func enter(_ opening: UInt8) throws(JSONError) -> Bool {
    skipWhitespace()
    guard peek() == opening else { return false }
    guard depth < limits.depth else { throw JSONError(kind: .tooDeep, offset: offset) }
    depth += 1
    offset += 1
    isFirst = true
    return true
  }

  /// Steps over the comma between two members or elements, or over the bracket that ends them.
  private mutating func next(before closing: UInt8) throws(JSONError) -> Bool {
    skipWhitespace()
    guard let byte = peek() else { throw unexpected() }
    if byte == closing {
      offset += 1
      depth -= 1
      isFirst = false
      return false
    }
    if isFirst {
      isFirst = false
    } else {
      guard byte == UInt8(ascii: ",") else { throw unexpected() }
      offset += 1
      skipWhitespace()
    }
    return true
  }

  // MARK: Scalars

  /// Reads a string, if one is next.
  package mutating func text() throws(JSONError) -> JSONText? {
    skipWhitespace()
    guard peek() == UInt8(ascii: "\"") else { return nil }
    return try string()
  }

  /// Reads `true` or `false`, if one is next.
  package mutating func bool() throws(JSONError) -> Bool? {
    skipWhitespace()
    switch peek() {
    case UInt8(ascii: "t"):
      try literal("true")
      return true
    case UInt8(ascii: "f"):
      try literal("false")
      return false
    default: return nil
    }
  }

  /// Steps over `null`, if it is next.
  package mutating func null() throws(JSONError) -> Bool {
    skipWhitespace()
    guard peek() == UInt8(ascii: "n") else { return false }
    try literal("null")
    return true
  }

  /// Throws unless only white space follows the outermost value.
  package mutating func finish() throws(JSONError) {
    skipWhitespace()
    guard offset == bytes.count else { throw JSONError(kind: .trailingBytes, offset: offset) }
  }

  private mutating func literal(_ word: StaticString) throws(JSONError) {
    for position in 0..<word.utf8CodeUnitCount {
      guard peek() == word.utf8Start[position] else { throw unexpected() }
      offset += 1
    }
  }

  // MARK: Bytes

  /// The next byte, or nil at the end.
  @inline(__always)
  func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

  /// The error for the next byte, which cannot stand here, or for the end of the text.
  func unexpected() -> JSONError {
    if offset == 0, bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
      return JSONError(kind: .byteOrderMark, offset: 0)
    }
    return JSONError(kind: offset < bytes.count ? .unexpectedByte : .unexpectedEnd, offset: offset)
  }

  /// Steps over space, tab, line feed and carriage return (section 2).
  @inline(__always)
  mutating func skipWhitespace() {
    if let byte = peek(), byte <= 0x20 { skipMoreWhitespace() }
  }

  private mutating func skipMoreWhitespace() {
    while let byte = peek(), byte.isASCIIBlank { offset += 1 }
  }
}
