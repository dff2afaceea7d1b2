/// Tells whether bytes are a JSON text, in the plainest way: a second opinion on the reader.
///
/// It follows the grammar of RFC 8259 literally, leaves UTF-8 to the standard library, and does not check for duplicate
/// names or overflowing numbers.
struct ReferenceAcceptor {
  private let scalars: [Unicode.Scalar]
  private var position = 0

  /// Nil if the bytes are not UTF-8.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    scalars = Array(text.unicodeScalars)
  }

  mutating func accepts() -> Bool {
    guard value(depth: 0) else { return false }
    space()
    return position == scalars.count
  }

  private mutating func value(depth: Int) -> Bool {
    space()
    defer { space() }
    if take("{") { return depth < 32 && list("}") { $0.string() && $0.colon() && $0.value(depth: depth + 1) } }
    if take("[") { return depth < 32 && list("]") { $0.value(depth: depth + 1) } }
    if next == "\"" { return string() }
    for word in ["true", "false", "null"] where scalars[position...].starts(with: word.unicodeScalars) {
      position += word.unicodeScalars.count
      return true
    }
    return number()
  }

  private mutating func list(_ end: Unicode.Scalar, _ item: (inout ReferenceAcceptor) -> Bool) -> Bool {
    space()
    if take(end) { return true }
    repeat {
      space()
      guard item(&self) else { return false }
      space()
    } while take(",")
    return take(end)
  }

  private mutating func colon() -> Bool {
    space()
    return take(":")
  }

  private mutating func string() -> Bool {
    guard take("\"") else { return false }
    while let scalar = next {
      position += 1
      if scalar == "\"" { return true }
      if scalar.value < 0x20 { return false }
      if scalar == "\\" && !escape() { return false }
    }
    return false
  }

  private mutating func escape() -> Bool {
    guard let scalar = next else { return false }
    position += 1
    if scalar != "u" { return "\"\\/bfnrt".unicodeScalars.contains(scalar) }
    guard let unit = hex() else { return false }
    if !(0xD800...0xDFFF).contains(unit) { return true }
    guard unit < 0xDC00, take("\\"), take("u"), let low = hex() else { return false }
    return (0xDC00...0xDFFF).contains(low)
  }

  private mutating func hex() -> UInt32? {
    guard position + 4 <= scalars.count else { return nil }
    let digits = String(String.UnicodeScalarView(scalars[position..<position + 4]))
    guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
    position += 4
    return UInt32(digits, radix: 16)
  }

  private mutating func number() -> Bool {
    _ = take("-")
    if !take("0") { guard digits() else { return false } }
    if take(".") { guard digits() else { return false } }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      guard digits() else { return false }
    }
    return true
  }

  private mutating func digits() -> Bool {
    let start = position
    while let scalar = next, ("0"..."9").contains(scalar) { position += 1 }
    return position > start
  }

  private mutating func space() { while take(" ") || take("\n") || take("\r") || take("\t") {} }

  private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    position += 1
    return true
  }
}
