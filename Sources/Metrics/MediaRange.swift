/// One element of an Accept field: `text/plain;version=0.0.4;q=0.5` (RFC 9110 §12.5.1).
struct MediaRange {
  /// The most elements of a field that are looked at.
  static let maximumCount = 32

  let type: String
  let subtype: String
  let parameters: [String: String]
  /// The weight, 0 to 1000.
  let thousandths: Int

  /// The well-formed elements among the first `maximumCount` of the field.
  static func list(_ field: String) -> [MediaRange] {
    split(field[...], at: ",").prefix(maximumCount).compactMap(MediaRange.init)
  }

  private init?(_ element: Substring) {
    let parts = Self.split(element, at: ";")
    let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    guard names.count == 2, !names[0].isEmpty, !names[1].isEmpty else { return nil }
    type = names[0].lowercased()
    subtype = names[1].lowercased()
    var parameters: [String: String] = [:]
    for part in parts.dropFirst() {
      guard let equals = part.firstIndex(of: "=") else { continue }
      let value = part[part.index(after: equals)...]
      parameters[part[..<equals].lowercased()] = value.filter { $0 != "\"" }
    }
    guard let thousandths = Self.thousandths(parameters["q"] ?? "1") else { return nil }
    self.thousandths = thousandths
    self.parameters = parameters
  }

  /// Parses a weight, 0 to 1 with at most three decimals (RFC 9110 §12.4.2); nil if it is malformed.
  private static func thousandths(_ weight: String) -> Int? {
    let digits = Array(weight.utf8)
    guard let first = digits.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1") else { return nil }
    var value = Int(first - UInt8(ascii: "0")) * 1000
    if digits.count == 1 { return value }
    guard digits.count <= 5, digits[1] == UInt8(ascii: ".") else { return nil }
    var place = 100
    for digit in digits.dropFirst(2) {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      value += Int(digit - UInt8(ascii: "0")) * place
      place /= 10
    }
    return value <= 1000 ? value : nil
  }

  /// The parts of `text` between separators outside quotes, without the blanks around them; there is always one.
  private static func split(_ text: Substring, at separator: Character) -> [Substring] {
    var isQuoted = false
    let parts = text.split(omittingEmptySubsequences: false) { character in
      if character == "\"" { isQuoted.toggle() }
      return character == separator && !isQuoted
    }
    return parts.map(trimmed)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
