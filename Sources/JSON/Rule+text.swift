import Values

extension Rule where Value == String {
  /// A string of `length` Unicode scalars, without control characters.
  package static func string(_ length: ClosedRange<Int>) -> Rule { text(length, allowsLines: false, .line(length)) }

  /// A string of `length` Unicode scalars, without control characters but line feed and tab.
  package static func text(_ length: ClosedRange<Int>) -> Rule { text(length, allowsLines: true, .lines(length)) }

  /// This rule, and at least one visible character: white space and invisible characters alone are no name.
  package var nonblank: Rule { checked("must not be blank", schema: self.schema.nonblank) { !$0.isBlank } }

  private static func text(
    _ length: ClosedRange<Int>, allowsLines: Bool, _ schema: @autoclosure @escaping () -> Schema
  ) -> Rule {
    Rule(schema()) { value, place, faults in
      guard case .string(let string) = value else { return faults.note("must be a string", at: place, reading: "") }
      let measure = TextMeasure(string, allowsLines: allowsLines)
      if measure.hasControls {
        let allowed = allowsLines ? " other than line feed and tab" : ""
        faults.note("must not contain control characters\(allowed)", at: place)
      }
      if !length.contains(measure.scalars) { faults.note("must have \(phrase(length)) characters", at: place) }
      return string
    }
  }
}

extension Rule where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of the strings that the enumeration lists.
  package static func oneOf(_ type: Value.Type) -> Rule {
    let cases = Array(type.allCases)
    return Rule(.cases(of: type)) { value, place, faults in
      if case .string(let string) = value, let found = cases.first(where: { $0.rawValue == string }) { return found }
      let names = cases.map(\.rawValue).joined(separator: ", ")
      return faults.note("must be one of: \(names)", at: place, reading: cases[0])
    }
  }
}

extension Rule where Value == Identifier {
  /// A UUID in its text form, in either case.
  package static var identifier: Rule {
    Rule(.identifier) { value, place, faults in
      if case .string(let string) = value, let identifier = Identifier(string) { return identifier }
      return faults.note("must be a UUID", at: place, reading: Identifier(high: 0, low: 0))
    }
  }
}

extension Rule where Value == Timestamp {
  /// A date and time with an offset (RFC 3339), cut to milliseconds.
  package static var timestamp: Rule {
    Rule(.timestamp) { value, place, faults in
      if case .string(let string) = value, let timestamp = Timestamp(string) { return timestamp }
      let expectation = "must be an RFC 3339 date-time such as 2026-11-21T09:30:00.000Z"
      return faults.note(expectation, at: place, reading: Timestamp(unixMilliseconds: 0))
    }
  }
}

/// The length of a text and whether it has forbidden control characters, found in one pass over its UTF-8.
struct TextMeasure {
  var scalars = 0
  /// Whether there is a control character (category Cc: U+0000–1F, U+007F–9F) that is not allowed.
  var hasControls = false

  init(_ string: String, allowsLines: Bool) {
    var string = string
    string.withUTF8 { bytes in
      for (position, byte) in bytes.enumerated() {
        if byte & 0xC0 != 0x80 { scalars += 1 }
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\t"): if !allowsLines { hasControls = true }
        case 0..<0x20, 0x7F: hasControls = true
        // U+0080–9F are written C2 80–9F.
        case 0x80...0x9F: if bytes[position - 1] == 0xC2 { hasControls = true }
        default: break
        }
      }
    }
  }
}
