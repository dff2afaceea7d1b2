/// What a JSON value must be, and how it is read.
///
/// Rules are composed, and given names where they recur:
///
///     extension Rule<Location> {
///       static var location: Rule {
///         .object { Location($0.required("latitude", .number(-90...90)), $0.required("longitude", .number(-180...180))) }
///       }
///     }
package struct Rule<Value> {
  /// Reads a value, or notes its faults and gives a placeholder so that reading goes on. No rule is met by null.
  let read: (_ value: JSONValue, _ place: Place, _ faults: FaultList) -> Value

  /// What a value that is not there is read as.
  var placeholder: Value { read(.null, .root, FaultList()) }

  /// The rule that the value also meets a condition; `expectation` completes "it …": `must be a multiple of 10`.
  package func checked(_ expectation: String, _ condition: @escaping (Value) -> Bool) -> Rule {
    Rule { value, place, faults in
      let count = faults.count
      let result = read(value, place, faults)
      // A placeholder is not judged again.
      if faults.count == count, !condition(result) { faults.note(expectation, at: place) }
      return result
    }
  }

  /// The rule that makes something else of the value; nil is a fault, read as the placeholder.
  package func converted<Result>(
    _ expectation: String, placeholder: Result, _ convert: @escaping (Value) -> Result?
  ) -> Rule<Result> {
    Rule<Result> { value, place, faults in
      let count = faults.count
      let result = read(value, place, faults)
      guard faults.count == count else { return placeholder }
      return convert(result) ?? faults.note(expectation, at: place, reading: placeholder)
    }
  }
}
