import Values

/// Why the text of a setting was refused: the end of a sentence that begins with the setting's name.
struct InvalidText: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// How a setting's value is written: read from text, and shown as text.
struct Form<Value: Sendable>: Sendable {
  let parse: @Sendable (String) throws(InvalidText) -> Value
  let show: @Sendable (Value) -> String

  init(
    parse: @escaping @Sendable (String) throws(InvalidText) -> Value, show: @escaping @Sendable (Value) -> String
  ) {
    self.parse = parse
    self.show = show
  }

  /// A form whose refusals all read `is not …`.
  init(
    _ expected: String, parse: @escaping @Sendable (String) -> Value?, show: @escaping @Sendable (Value) -> String
  ) {
    self.init(
      parse: { text throws(InvalidText) in
        guard let value = parse(text) else { throw InvalidText("is not \(expected)") }
        return value
      }, show: show)
  }

  /// Values separated by commas; blanks around them and empty ones are dropped.
  func list() -> Form<[Value]> {
    Form<[Value]>(
      parse: { text throws(InvalidText) in
        var values: [Value] = []
        for part in text.split(separator: ",") {
          let part = part.trimmingWhitespace
          if !part.isEmpty { values.append(try parse(part)) }
        }
        return values
      }, show: { $0.map(show).joined(separator: ",") })
  }
}
