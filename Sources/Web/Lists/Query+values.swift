import HTTP
import Values

/// The values of a query's parameters, each of one kind.
extension Query {
  /// A whole number within bounds; throws 400 for anything else.
  func integer(_ name: String, _ range: ClosedRange<Int64>) throws -> Int64? {
    guard let text = try value(name) else { return nil }
    guard text.utf8.count <= 19, let number = Int64(digits: text), range.contains(number) else {
      throw Problem(.malformed, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A date-time; throws 400 for anything else.
  package func timestamp(_ name: String) throws -> Timestamp? {
    guard let text = try value(name) else { return nil }
    guard let timestamp = Timestamp(text) else {
      throw Problem(.malformed, "\(name) must be an RFC 3339 date-time such as 2026-11-21T09:30:00Z.")
    }
    return timestamp
  }

  /// One of some words; throws 400 for anything else.
  package func word<Word: RawRepresentable & CaseIterable>(_ name: String, _ type: Word.Type) throws -> Word?
  where Word.RawValue == String {
    guard let text = try value(name) else { return nil }
    guard let word = Word(rawValue: text) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(.malformed, "\(name) must be one of: \(words).")
    }
    return word
  }

  /// `true` or `false`; throws 400 for anything else.
  package func flag(_ name: String) throws -> Bool? {
    guard let text = try value(name) else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default: throw Problem(.malformed, "\(name) must be true or false.")
    }
  }

  /// A number within bounds; throws 400 for anything else.
  func decimal(_ name: String, _ range: ClosedRange<Double>) throws -> Double? {
    guard let text = try value(name) else { return nil }
    guard let number = Self.decimal(text), range.contains(number) else {
      throw Problem(.malformed, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A number in plain digits.
  static func decimal(_ text: some StringProtocol) -> Double? {
    guard (1...24).contains(text.utf8.count),
      text.utf8.allSatisfy({ $0.isASCIIDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
    else { return nil }
    return Double(text)
  }
}
