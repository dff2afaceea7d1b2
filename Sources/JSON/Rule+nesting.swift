extension Rule {
  /// An object whose members `body` reads; members that it does not ask for are faults.
  ///
  /// Where the value is not an object, `body` runs all the same, to make a placeholder. A `name`, for a shape that
  /// recurs, makes its schema a component of the OpenAPI document.
  package static func object(named name: String? = nil, _ body: @escaping (inout Fields) -> Value) -> Rule {
    Rule(.object(named: name, body)) { value, place, faults in
      var fields = Fields(value, at: place, faults)
      let result = body(&fields)
      fields.noteUnknownMembers()
      return result
    }
  }

  /// An array of `count` elements, each of which obeys `rule`.
  package static func array<Element>(_ count: ClosedRange<Int>, of rule: Rule<Element>) -> Rule
  where Value == [Element] {
    Rule(.array(rule.schema, count)) { value, place, faults in
      guard case .array(let elements) = value else { return faults.note("must be an array", at: place, reading: []) }
      guard count.contains(elements.count) else {
        return faults.note("must have \(phrase(count)) elements", at: place, reading: [])
      }
      let pointer = place.pointer
      var results: [Element] = []
      results.reserveCapacity(elements.count)
      for (index, element) in elements.enumerated() where !faults.isFull {
        results.append(rule.read(element, .element(index, of: pointer), faults))
      }
      return results
    }
  }

  /// An array of `count` elements, each of which obeys `rule` and occurs once; faults call an element a `noun`.
  package static func set<Element: Hashable>(_ count: ClosedRange<Int>, of rule: Rule<Element>, _ noun: String) -> Rule
  where Value == [Element] {
    let elements = array(count, of: rule)
    return elements.checked("must name each \(noun) once", schema: elements.schema.withUniqueItems) {
      Set($0).count == $0.count
    }
  }
}

extension Rule where Value == JSONValue {
  /// Any value; its content is checked elsewhere.
  package static var any: Rule { Rule(.any) { value, _, _ in value } }
}

extension Rule where Value == JSONObject {
  /// An object with any members. At every depth, its names and strings may have no control characters but line feed and
  /// tab, as with `text`: U+0000 could not even be stored.
  package static var anyObject: Rule {
    Rule(.map(.any)) { value, place, faults in
      guard case .object(let object) = value else {
        return faults.note("must be an object", at: place, reading: JSONObject())
      }
      noteControls(in: value, at: place, faults)
      return object
    }
  }

  private static func noteControls(in value: JSONValue, at place: Place, _ faults: FaultList) {
    switch value {
    case .null, .bool, .integer, .number: break
    case .string(let string):
      if TextMeasure(string, allowsLines: true).hasControls {
        faults.note("must not contain control characters other than line feed and tab", at: place)
      }
    case .array(let elements):
      let pointer = place.pointer
      for (index, element) in elements.enumerated() {
        noteControls(in: element, at: .element(index, of: pointer), faults)
      }
    case .object(let object):
      let pointer = place.pointer
      for (name, value) in object.members {
        let place = Place.member(name, of: pointer)
        if TextMeasure(name, allowsLines: true).hasControls {
          faults.note("must not have control characters other than line feed and tab in its name", at: place)
        }
        noteControls(in: value, at: place, faults)
      }
    }
  }
}
