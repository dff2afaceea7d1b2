/// The shape of a request or an answer, as JSON Schema 2020-12, for the OpenAPI document and the reference page.
package indirect enum Schema: Sendable {
  /// A component of the document, referred to by its name; with an example as JSON text.
  case named(String, Schema, example: String? = nil)
  /// An object; without members beyond those listed where it is closed.
  case object([Property], description: String = "", isClosed: Bool = false)
  case array(Schema, minItems: Int? = nil, maxItems: Int? = nil, isUnique: Bool = false)
  case string(format: String? = nil, minLength: Int? = nil, maxLength: Int? = nil, pattern: String? = nil)
  case enumeration([String])
  case constant(String)
  case integer(minimum: Int64? = nil, maximum: Int64? = nil)
  case number(minimum: Double? = nil, maximum: Double? = nil)
  case boolean
  case nullable(Schema)
  /// An object whose members all have one shape, under names that are not known beforehand.
  case map(Schema)
  /// Exactly one of these shapes; no value may have two of them.
  case oneOf([Schema])
  case any

  /// One member of an object.
  package struct Property: Sendable {
    package let name: String
    package let schema: Schema
    package let isRequired: Bool
    package let description: String

    /// A member that is always there.
    package static func required(_ name: String, _ schema: Schema, _ description: String = "") -> Property {
      Property(name: name, schema: schema, isRequired: true, description: description)
    }

    /// A member that may be absent.
    package static func optional(_ name: String, _ schema: Schema, _ description: String = "") -> Property {
      Property(name: name, schema: schema, isRequired: false, description: description)
    }
  }

  package static let identifier = Schema.string(format: "uuid")
  package static let timestamp = Schema.string(format: "date-time")

  /// A string of `length` characters without control characters.
  package static func line(_ length: ClosedRange<Int>, format: String? = nil) -> Schema {
    .string(format: format, minLength: length.lowerBound, maxLength: length.upperBound, pattern: linePattern)
  }

  /// A string of `length` characters without control characters but line feed and tab.
  package static func lines(_ length: ClosedRange<Int>) -> Schema {
    .string(minLength: length.lowerBound, maxLength: length.upperBound, pattern: linesPattern)
  }

  package static let linePattern = #"^[^\u0000-\u001F\u007F-\u009F]*$"#
  package static let linesPattern = #"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F]*$"#
  /// Matches one visible character, as far as a pattern can say so in every dialect: all beyond U+FFFF pass.
  static let visiblePattern = #"""
    [^\u0000-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\#
    \u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFF8]
    """#

  /// Whether `pattern` is one of those of lines and texts, which documentation need not spell out.
  package static func isOfText(_ pattern: String) -> Bool {
    [linePattern, linesPattern].contains { $0 == pattern || nonblank($0) == pattern }
  }

  /// `pattern`, of lines or of texts, with at least one visible character required.
  private static func nonblank(_ pattern: String) -> String {
    let run = pattern.dropFirst().dropLast()
    return "^\(run)\(visiblePattern)\(run)$"
  }

  /// This schema of a line or text with at least one visible character required; any other schema as it is.
  var nonblank: Schema {
    guard case .string(let format, let minLength, let maxLength, let pattern?) = self else { return self }
    return .string(format: format, minLength: minLength, maxLength: maxLength, pattern: Self.nonblank(pattern))
  }

  /// The strings of an enumeration, as a component named after its type unless `name` is given.
  package static func cases<Value: CaseIterable & RawRepresentable>(
    of type: Value.Type, named name: String? = nil
  ) -> Schema
  where Value.RawValue == String {
    .named(name ?? "\(type)", .enumeration(type.allCases.map(\.rawValue)))
  }

  /// An integer within bounds; those of Int64 itself are left out.
  static func integer(in range: ClosedRange<Int64>) -> Schema {
    .integer(
      minimum: range.lowerBound == .min ? nil : range.lowerBound,
      maximum: range.upperBound == .max ? nil : range.upperBound)
  }

  /// An array of `count` elements.
  static func array(_ element: Schema, _ count: ClosedRange<Int>) -> Schema {
    .array(element, minItems: count.lowerBound == 0 ? nil : count.lowerBound, maxItems: count.upperBound)
  }

  /// An object with the members that `read` asks for, and no others, since they would be refused.
  static func object<Value>(named name: String?, _ read: (inout Fields) -> Value) -> Schema {
    let object = Schema.object(Fields.members(of: read), isClosed: true)
    return name.map { .named($0, object) } ?? object
  }

  /// This schema of an array with distinct elements required; any other schema as it is.
  package var withUniqueItems: Schema {
    guard case .array(let element, let minItems, let maxItems, _) = self else { return self }
    return .array(element, minItems: minItems, maxItems: maxItems, isUnique: true)
  }
}
