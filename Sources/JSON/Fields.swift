/// Reads the members of a request's object and gathers every fault in it.
///
/// Each member is asked for by name, with the rule that it obeys. What is faulty is noted and read as a placeholder, so
/// that the rest is checked too; `finish` throws the faults, those of members never asked for among them. Nothing read
/// may be used before `finish` has returned.
///
///     var fields = Fields(try JSONReader.parse(request.body))
///     let name = fields.required("name", .string(1...120))
///     let description = fields.optional("description", .text(0...2_000))
///     try fields.finish()
package struct Fields {
  /// The place of the object in the document.
  package let pointer: String
  // Nil if there is no object at that place: this is noted already, and nothing within is a further fault.
  private let object: JSONObject?
  private let list: FaultList
  private var asked: [MemberName] = []

  /// The fields of a whole document, which must be an object.
  package init(_ document: JSONValue) { self.init(document, at: "", FaultList()) }

  init(_ value: JSONValue, at pointer: String, _ list: FaultList) {
    self.pointer = pointer
    self.list = list
    if case .object(let object) = value {
      self.object = object
    } else {
      object = nil
      list.append(pointer, "must be an object")
    }
  }

  private init() {
    pointer = ""
    object = nil
    list = FaultList()
  }

  /// The fields of no object: all are read as placeholders, and no fault is noted.
  static var none: Fields { Fields() }

  // MARK: Members

  /// A member that must be there and not null.
  package mutating func required<Value>(_ name: String, _ rule: Rule<Value>) -> Value {
    switch member(name) {
    case nil, .null: missing(name, "is required", rule)
    case let value?: rule.read(value, pointer(to: name), list)
    }
  }

  /// A member that may be absent or null, which is the same.
  package mutating func optional<Value>(_ name: String, _ rule: Rule<Value>) -> Value? {
    switch member(name) {
    case nil, .null: nil
    case let value?: rule.read(value, pointer(to: name), list)
    }
  }

  /// In a merge patch, a member that the resource always has: nil leaves it, and null is a fault.
  package mutating func change<Value>(_ name: String, _ rule: Rule<Value>) -> Value? {
    switch member(name) {
    case nil: nil
    case .null: missing(name, "must not be null", rule)
    case let value?: rule.read(value, pointer(to: name), list)
    }
  }

  /// In a merge patch, a member that the resource may lack: null takes it away.
  package mutating func patch<Value>(_ name: String, _ rule: Rule<Value>) -> Patch<Value> {
    switch member(name) {
    case nil: .absent
    case .null: .clear
    case let value?: .set(rule.read(value, pointer(to: name), list))
    }
  }

  /// Notes a fault that no rule can see, such as a member at odds with another.
  package func fault(_ name: String, _ detail: String) {
    if object != nil { list.append(pointer(to: name), detail) }
  }

  private mutating func member(_ name: String) -> JSONValue? {
    asked.append(MemberName(name))
    return object?[name]
  }

  private func missing<Value>(_ name: String, _ detail: String, _ rule: Rule<Value>) -> Value {
    fault(name, detail)
    return rule.placeholder()
  }

  private func pointer(to name: String) -> String { "\(pointer)/\(pointerToken(name))" }

  // MARK: The end

  /// Throws a `ValidationError` if anything was wrong.
  package func finish() throws(ValidationError) {
    noteUnknownMembers()
    if !list.faults.isEmpty { throw ValidationError(list.faults) }
  }

  /// Notes the members that were never asked for: a misspelt name must not pass silently.
  func noteUnknownMembers() {
    for member in object?.members ?? [] where !asked.contains(MemberName(member.name)) {
      if list.isFull { return }
      list.append(pointer(to: member.name), "is not a known member")
    }
  }
}

/// A name as a reference token of a JSON Pointer: `~` and `/` are escaped (RFC 6901, section 3).
private func pointerToken(_ name: String) -> String {
  guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return name }
  var token = ""
  for scalar in name.unicodeScalars {
    switch scalar {
    case "~": token += "~0"
    case "/": token += "~1"
    default: token.unicodeScalars.append(scalar)
    }
  }
  return token
}
