/// Access to the parts of a value from elsewhere, which may have any shape.
extension JSONValue {
  /// A member of an object; nil for anything else.
  package func member(_ name: String) -> JSONValue? {
    if case .object(let object) = self { object[name] } else { nil }
  }

  /// The elements of an array; none for anything else.
  package var elementList: [JSONValue] {
    if case .array(let elements) = self { elements } else { [] }
  }

  /// The text of a string; nil for anything else.
  package var stringText: String? {
    if case .string(let text) = self { text } else { nil }
  }
}
