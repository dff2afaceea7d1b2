import JSON
import Values

/// A JSON value as what a test expects it to be: nil if it is something else.
extension JSONValue {
  package subscript(_ name: String) -> JSONValue? {
    if case .object(let object) = self { object[name] } else { nil }
  }

  package var text: String? { if case .string(let text) = self { text } else { nil } }
  package var timestamp: Timestamp? { text.flatMap { Timestamp($0) } }
  package var integer: Int64? { if case .integer(let integer) = self { integer } else { nil } }
  package var number: Double? {
    switch self {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }
  package var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
  package var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
}
