import JSON
import Web

extension Schema: JSONWritable {
  /// Writes the shape as JSON Schema 2020-12, with names as references.
  package func write(to json: inout JSONWriter) {
    json.object { json in writeMembers(to: &json, isNullable: false) }
  }

  /// Writes the definition of a named shape, with its example.
  func writeDefinition(to json: inout JSONWriter) {
    guard case .named(_, let schema, let example) = self else { return json.value(self) }
    json.object { json in
      schema.writeMembers(to: &json, isNullable: false)
      guard let example else { return }
      json.key("examples")
      json.array { json in json.raw(Array(example.utf8)) }
    }
  }

  /// Writes the shape with a sentence on what it means, where it is used.
  func write(to json: inout JSONWriter, description: String) {
    json.object { json in
      writeMembers(to: &json, isNullable: false)
      if !description.isEmpty { json.member("description", description) }
    }
  }

  private func writeMembers(to json: inout JSONWriter, isNullable: Bool) {
    switch self {
    case .named(let name, _, _) where !isNullable: json.member("$ref", Self.reference(name))
    // Client generators read `anyOf` as one shape with the members of all, except where it makes a reference nullable.
    case .named: Self.writeChoice("anyOf", of: [self], isNullable, to: &json)
    case .oneOf(let schemas): Self.writeChoice("oneOf", of: schemas, isNullable, to: &json)
    case .nullable(let schema): schema.writeMembers(to: &json, isNullable: true)
    case .object(let properties, let description, let isClosed):
      Self.writeType("object", isNullable, to: &json)
      Self.write(properties, to: &json)
      if isClosed { json.member("additionalProperties", false) }
      if !description.isEmpty { json.member("description", description) }
    case .map(let schema):
      Self.writeType("object", isNullable, to: &json)
      json.member("additionalProperties", schema)
    case .array(let schema, let minItems, let maxItems, let isUnique):
      Self.writeType("array", isNullable, to: &json)
      json.member("items", schema)
      json.member("minItems", ifPresent: minItems)
      json.member("maxItems", ifPresent: maxItems)
      if isUnique { json.member("uniqueItems", true) }
    case .any: break
    default: writeScalar(to: &json, isNullable: isNullable)
    }
  }

  private func writeScalar(to json: inout JSONWriter, isNullable: Bool) {
    switch self {
    case .string(let format, let minLength, let maxLength, let pattern):
      Self.writeType("string", isNullable, to: &json)
      json.member("format", ifPresent: format)
      json.member("minLength", ifPresent: minLength)
      json.member("maxLength", ifPresent: maxLength)
      json.member("pattern", ifPresent: pattern)
    case .enumeration(let values):
      Self.writeType("string", isNullable, to: &json)
      json.member("enum", values.map { Optional($0) } + (isNullable ? [nil] : []))
    case .constant(let value):
      json.member("const", value)
    case .integer(let minimum, let maximum):
      Self.writeType("integer", isNullable, to: &json)
      if !Self.isOfInt32(minimum, maximum) { json.member("format", "int64") }
      json.member("minimum", ifPresent: minimum)
      json.member("maximum", ifPresent: maximum)
    case .number(let minimum, let maximum):
      Self.writeType("number", isNullable, to: &json)
      // Without it Go's clients read numbers as float32, which has seven digits.
      json.member("format", "double")
      json.member("minimum", ifPresent: minimum)
      json.member("maximum", ifPresent: maximum)
    case .boolean:
      Self.writeType("boolean", isNullable, to: &json)
    default: break
    }
  }

  /// Whether generators of clients may take an integer for one of 32 bits, as many do where no format is given.
  private static func isOfInt32(_ minimum: Int64?, _ maximum: Int64?) -> Bool {
    guard let minimum, let maximum else { return false }
    return minimum >= Int32.min && maximum <= Int32.max
  }

  private static func writeChoice(
    _ keyword: StaticString, of schemas: [Schema], _ isNullable: Bool, to json: inout JSONWriter
  ) {
    json.key(keyword)
    json.array { json in
      for schema in schemas { json.value(schema) }
      if isNullable { json.object { json in json.member("type", "null") } }
    }
  }

  private static func write(_ properties: [Property], to json: inout JSONWriter) {
    json.key("properties")
    json.object { json in
      for property in properties {
        json.key(property.name)
        property.schema.write(to: &json, description: property.description)
      }
    }
    let required = properties.filter(\.isRequired).map(\.name)
    if !required.isEmpty { json.member("required", required) }
  }

  private static func writeType(_ type: String, _ isNullable: Bool, to json: inout JSONWriter) {
    if isNullable { json.member("type", [type, "null"]) } else { json.member("type", type) }
  }

  /// Where the document keeps the shape `name`.
  static func reference(_ name: String) -> String { "#/components/schemas/\(name)" }
}

extension Schema {
  /// Collects the named shapes in it, itself included, by their names.
  func collectNamed(into found: inout [String: Schema]) {
    switch self {
    case .named(let name, let schema, _):
      guard found.updateValue(self, forKey: name) == nil else { return }
      schema.collectNamed(into: &found)
    case .object(let properties, _, _): for property in properties { property.schema.collectNamed(into: &found) }
    case .array(let schema, _, _, _), .nullable(let schema), .map(let schema): schema.collectNamed(into: &found)
    case .oneOf(let schemas): for schema in schemas { schema.collectNamed(into: &found) }
    case .string, .enumeration, .constant, .integer, .number, .boolean, .any: break
    }
  }
}
