import JSON
import Web

/// A shape as the reference page describes it.
extension Schema {
  /// Whether the document knows it by a name.
  var isNamed: Bool {
    if case .named = self { true } else { false }
  }

  /// An example as JSON text, where a named shape has one; for a page of a list, made from the example of an item.
  var example: String? {
    guard case .named(_, let schema, let example) = self else { return nil }
    if let example { return example }
    guard case .object(let members, _, _) = schema, case .array(let item, _, _, _)? = members.first?.schema else {
      return nil
    }
    return item.example.map { #"{"items":[\#($0)],"nextCursor":null}"# }
  }

  /// Writes the members of an object as a list, those of objects in it below them; anything else as one line.
  func writeMembers(to html: inout HTMLWriter) {
    switch self {
    case .named(_, let schema, _): schema.writeMembers(to: &html)
    case .object(let properties, _, _):
      html.element("ul", ["class": "members"]) { html in
        for property in properties { property.write(to: &html) }
      }
    default:
      html.element("p") { html in writeType(to: &html) }
      if let inner = innerObject { inner.writeMembers(to: &html) }
    }
  }

  /// Writes what a value of it is, in a few words.
  func writeType(to html: inout HTMLWriter) {
    switch self {
    case .named(let name, _, _): html.element("a", ["href": "#shape-\(name)"], name)
    case .nullable(let schema):
      schema.writeType(to: &html)
      html.text(" or null")
    case .array(let schema, let minItems, let maxItems, let isUnique):
      html.text("array of ")
      schema.writeType(to: &html)
      if let bounds = Self.bounds(minItems.map(String.init), maxItems.map(String.init)) {
        html.text(", \(bounds) items")
      }
      if isUnique { html.text(", each once") }
    case .oneOf(let schemas):
      for (index, schema) in schemas.enumerated() {
        if index > 0 { html.text(" or ") }
        schema.writeType(to: &html)
      }
    case .map(let schema):
      html.text("object, by name ")
      schema.writeType(to: &html)
    case .enumeration(let values):
      for (index, value) in values.enumerated() {
        if index > 0 { html.text(" | ") }
        html.element("code", value)
      }
    case .string(_, _, _, let pattern?) where !Self.isOfText(pattern):
      html.text("\(words) ")
      html.element("code", pattern)
    default: html.text(words)
    }
  }

  /// A simple shape in words.
  private var words: String {
    switch self {
    case .string(let format, let minLength, let maxLength, _):
      let kind = format == "uuid" ? "id" : format == "date-time" ? "time" : format ?? "string"
      guard let bounds = Self.bounds(minLength.map(String.init), maxLength.map(String.init)) else { return kind }
      return "\(kind), \(bounds) characters"
    case .constant(let value): return "“\(value)”"
    case .integer(let minimum, let maximum):
      return ["integer", Self.bounds(minimum.map { String($0) }, maximum.map { String($0) })].joinedWords
    case .number(let minimum, let maximum):
      return ["number", Self.bounds(minimum.map { Self.text($0) }, maximum.map { Self.text($0) })].joinedWords
    case .boolean: return "boolean"
    case .object: return "object"
    default: return "any value"
    }
  }

  /// A number as text, without a fraction of zero.
  private static func text(_ number: Double) -> String {
    let text = String(number)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func bounds(_ low: String?, _ high: String?) -> String? {
    switch (low, high) {
    case (nil, nil): nil
    case (let low?, nil): "at least \(low)"
    case (nil, let high?): "at most \(high)"
    case (let low?, let high?): low == high ? low : "\(low)…\(high)"
    }
  }

  /// The object in a list, a map or a nullable shape; nil for one that has a name, and so a place of its own.
  fileprivate var innerObject: Schema? {
    switch self {
    case .object: self
    case .array(let schema, _, _, _), .nullable(let schema), .map(let schema): schema.innerObject
    default: nil
    }
  }
}

extension Schema.Property {
  fileprivate func write(to html: inout HTMLWriter) {
    html.element("li") { html in
      html.element("code", name)
      html.text(" ")
      html.element("span", ["class": "quiet"]) { html in
        schema.writeType(to: &html)
        if !isRequired { html.text(", optional") }
      }
      if !description.isEmpty {
        html.text(". ")
        html.prose(description)
      }
      if let inner = schema.innerObject { inner.writeMembers(to: &html) }
    }
  }
}

extension [String?] {
  fileprivate var joinedWords: String { compactMap(\.self).joined(separator: ", ") }
}
