import JSON

extension JSONValue {
  /// The members of an object with their names; nil for anything else.
  var members: [(name: String, value: JSONValue)]? {
    if case .object(let object) = self { object.members.map { ($0.name, $0.value) } } else { nil }
  }

  /// Calls `visit` with the value itself and every value inside it.
  func walk(_ visit: (JSONValue) -> Void) {
    visit(self)
    for member in members ?? [] { member.value.walk(visit) }
    for element in elements ?? [] { element.walk(visit) }
  }
}
