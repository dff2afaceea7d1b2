import Foundation
import JSON
import Values

@testable import Reference
@testable import Web

/// As much of JSON Schema as it takes to check that examples fit their schema.
extension Schema {
  /// The schema of the items if this is a page of a list, otherwise the schema itself.
  var item: Schema {
    guard case .named(_, .object(let members, _, _), nil) = self, members.map(\.name) == ["items", "nextCursor"],
      case .array(let item, _, _, _) = members[0].schema
    else { return self }
    return item
  }

  var examples: [(Schema, String)] {
    switch self {
    case .named(_, let schema, let example?): [(schema, example)]
    case .named(_, let schema, nil): schema.examples
    case .oneOf(let schemas): schemas.flatMap(\.examples)
    default: []
    }
  }

  /// What is wrong with a value; nil if it fits the schema.
  func fault(in value: JSONValue) -> String? {
    switch (self, value) {
    case (.named(_, let schema, _), _): return schema.fault(in: value)
    case (.nullable(let schema), _): return value == .null ? nil : schema.fault(in: value)
    case (.any, _), (.boolean, .bool), (.integer, .integer), (.number, .integer), (.number, .number): return nil
    case (.oneOf(let schemas), _):
      let count = schemas.count { $0.fault(in: value) == nil }
      return count == 1 ? nil : "\(value) is of \(count) shapes"
    case (.enumeration(let words), .string(let text)): return words.contains(text) ? nil : "\(text) is not one of them"
    case (.constant(let word), .string(let text)): return text == word ? nil : "\(text) is not \(word)"
    case (.string(let format, _, _, let pattern), .string(let text)):
      if format == "uuid", Identifier(text) == nil { return "\(text) is no id" }
      if format == "date-time", Timestamp(text) == nil { return "\(text) is no time" }
      return pattern.map { text.range(of: $0, options: .regularExpression) != nil } ?? true
        ? nil : "\(text) does not match"
    case (.array(let item, _, _, _), .array(let elements)): return elements.lazy.compactMap(item.fault).first
    case (.map(let item), .object(let object)): return object.members.lazy.compactMap { item.fault(in: $0.value) }.first
    case (.object(let properties, _, _), .object(let object)):
      for member in object.members {
        guard let property = properties.first(where: { $0.name == member.name }) else {
          return "\(member.name) is unknown"
        }
        if let fault = property.schema.fault(in: member.value) { return "\(member.name): \(fault)" }
      }
      return properties.first { $0.isRequired && object[$0.name] == nil }.map { "\($0.name) is missing" }
    default: return "\(value) is not \(self)"
    }
  }
}
