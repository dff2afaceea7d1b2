/// Reads the members of a request's object and gathers every fault in it.
///
/// The caller asks for each member by name, with the rule that it must obey. A faulty member is noted and read as a
/// placeholder, so that the others are checked as well; `finish` throws all faults, including one for each member that
/// was never asked for. No value may be used before `finish` has returned.
///
///     var fields = Fields(try JSONReader.parse(request.body))
///     let name = fields.required("name", .string(1...120))
///     let description = fields.optional("description", .text(0...2_000))
///     try fields.finish()
package struct Fields {
  /// The place of the object in the document, a JSON Pointer (RFC 6901).
  package let pointer: String
  // Nil if the value is not an object: that fault is noted already, and its members add no further ones.
  private let object: JSONObject?
  private let faults: FaultList
  // Records the members that a form asks for while it is described; nil while one is read.
  private let outline: Outline?
  /// The positions in `object.members` of the members that were asked for.
  private var asked: [Int] = []

  /// The fields of a whole document, which must be an object.
  package init(_ document: JSONValue) { self.init(document, at: .root, FaultList()) }

  init(_ value: JSONValue, at place: Place, _ faults: FaultList) {
    pointer = place.pointer
    self.faults = faults
    outline = nil
    if case .object(let object) = value {
      self.object = object
      asked.reserveCapacity(min(object.members.count, Self.usualMembers))
    } else {
      object = nil
      faults.note("must be an object", at: place)
    }
  }

  private init(_ outline: Outline) {
    (pointer, object, faults) = ("", nil, FaultList())
    self.outline = outline
  }

  /// Returns the members that `read` asks for, each with the schema of its rule. `read` runs without an object, on
  /// placeholders.
  static func members<Value>(of read: (inout Fields) -> Value) -> [Schema.Property] {
    let outline = Outline()
    var fields = Fields(outline)
    _ = read(&fields)
    return outline.members
  }

  private final class Outline { var members: [Schema.Property] = [] }

  /// The most positions for which `asked` makes room in advance.
  private static let usualMembers = 8

  // MARK: Members

  /// Reads a member that must be present and not null; `description` goes into the OpenAPI document.
  package mutating func required<Value>(_ name: String, _ rule: Rule<Value>, _ description: String = "") -> Value {
    outline?.members.append(.required(name, rule.schema, description))
    return switch member(name) {
    case nil, .null: missing(name, "is required", rule)
    case let value?: rule.read(value, place(of: name), faults)
    }
  }

  /// Reads a member that may be absent or null, which mean the same.
  package mutating func optional<Value>(_ name: String, _ rule: Rule<Value>, _ description: String = "") -> Value? {
    outline?.members.append(.optional(name, .nullable(rule.schema), description))
    return switch member(name) {
    case nil, .null: nil
    case let value?: rule.read(value, place(of: name), faults)
    }
  }

  /// Reads a member of a merge patch that the resource always has: nil where it is absent; null is a fault.
  package mutating func change<Value>(_ name: String, _ rule: Rule<Value>, _ description: String = "") -> Value? {
    outline?.members.append(.optional(name, rule.schema, description))
    return switch member(name) {
    case nil: nil
    case .null: missing(name, "must not be null", rule)
    case let value?: rule.read(value, place(of: name), faults)
    }
  }

  /// Reads a member of a merge patch that the resource may lack: null removes it.
  package mutating func patch<Value>(_ name: String, _ rule: Rule<Value>, _ description: String = "") -> Patch<Value> {
    outline?.members.append(.optional(name, .nullable(rule.schema), description))
    return switch member(name) {
    case nil: .absent
    case .null: .clear
    case let value?: .set(rule.read(value, place(of: name), faults))
    }
  }

  /// Notes a fault that no rule can see, such as a member at odds with another.
  package func fault(_ name: String, _ detail: String) {
    if object != nil { faults.note(detail, at: place(of: name)) }
  }

  private mutating func member(_ name: String) -> JSONValue? {
    guard let object, let position = object.position(of: name) else { return nil }
    asked.append(position)
    return object.members[position].value
  }

  private func missing<Value>(_ name: String, _ detail: String, _ rule: Rule<Value>) -> Value {
    fault(name, detail)
    return rule.placeholder
  }

  private func place(of name: String) -> Place { .member(name, of: pointer) }

  // MARK: The end

  /// Throws a `ValidationError` if anything was wrong.
  package func finish() throws(ValidationError) {
    noteUnknownMembers()
    if !faults.faults.isEmpty { throw ValidationError(faults.faults) }
  }

  /// Notes the members that were never asked for: a misspelt name must not pass silently.
  func noteUnknownMembers() {
    guard let object else { return }
    for (position, member) in object.members.enumerated() where !asked.contains(position) {
      if faults.isFull { return }
      faults.note("is not a known member", at: place(of: member.name))
    }
  }
}
