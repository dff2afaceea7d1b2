extension Rule {
  /// An object whose members `body` reads; those that it does not ask for are faults.
  ///
  /// Where there is no object, `body` runs all the same, to make a placeholder.
  package static func object(_ body: @escaping (inout Fields) -> Value) -> Rule {
    Rule(
      placeholder: {
        var fields = Fields.none
        return body(&fields)
      }(),
      read: { value, pointer, faults in
        var fields = Fields(value, at: pointer, faults)
        let result = body(&fields)
        fields.noteUnknownMembers()
        return result
      })
  }

  /// An array of so many elements, each of which obeys a rule.
  package static func array<Element>(_ count: ClosedRange<Int>, of rule: Rule<Element>) -> Rule
  where Value == [Element] {
    Rule(placeholder: []) { value, pointer, faults in
      guard case .array(let elements) = value else {
        faults.append(pointer, "must be an array")
        return []
      }
      guard count.contains(elements.count) else {
        faults.append(pointer, "must have \(phrase(count)) elements")
        return []
      }
      var results: [Element] = []
      results.reserveCapacity(elements.count)
      for (index, element) in elements.enumerated() where !faults.isFull {
        results.append(rule.readElement(element, "\(pointer)/\(index)", faults))
      }
      return results
    }
  }

  private func readElement(_ value: JSONValue, _ pointer: String, _ faults: FaultList) -> Value {
    guard case .null = value else { return read(value, pointer, faults) }
    faults.append(pointer, "must not be null")
    return placeholder()
  }
}
