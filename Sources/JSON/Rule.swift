/// What a JSON value must be, and how it is read.
///
/// Rules are composed, and given names where they recur:
///
///     extension Rule<Location> {
///       static var location: Rule {
///         .object { fields in
///           Location(
///             latitude: fields.required("latitude", .number(-90...90)),
///             longitude: fields.required("longitude", .number(-180...180)))
///         }
///       }
///     }
package struct Rule<Value> {
  /// The shape of the values that meet it, as far as a schema can tell. Made when it is asked for: no request needs it.
  let describe: () -> Schema
  /// Reads a value, or notes its faults and gives a placeholder so that reading goes on. No rule is met by null.
  let read: (_ value: JSONValue, _ place: Place, _ faults: FaultList) -> Value

  init(
    _ schema: @autoclosure @escaping () -> Schema,
    read: @escaping (_ value: JSONValue, _ place: Place, _ faults: FaultList) -> Value
  ) {
    describe = schema
    self.read = read
  }

  package var schema: Schema { describe() }

  /// What a value that is not there is read as.
  var placeholder: Value { read(.null, .root, FaultList()) }

  /// The rule that the value also meets a condition; `expectation` completes "it …": `must be a multiple of 10`.
  ///
  /// `schema` tells as much of both as a schema can; nil for what tells the rule before it.
  package func checked(
    _ expectation: String, schema: @autoclosure @escaping () -> Schema? = nil, _ condition: @escaping (Value) -> Bool
  ) -> Rule {
    Rule(schema() ?? describe()) { value, place, faults in
      let count = faults.count
      let result = read(value, place, faults)
      // A placeholder is not judged again.
      if faults.count == count, !condition(result) { faults.note(expectation, at: place) }
      return result
    }
  }

  /// The rule that makes something else of the value; nil is a fault, read as the placeholder.
  package func converted<Result>(
    _ expectation: String, placeholder: Result, schema: @autoclosure @escaping () -> Schema? = nil,
    _ convert: @escaping (Value) -> Result?
  ) -> Rule<Result> {
    Rule<Result>(schema() ?? describe()) { value, place, faults in
      let count = faults.count
      let result = read(value, place, faults)
      guard faults.count == count else { return placeholder }
      return convert(result) ?? faults.note(expectation, at: place, reading: placeholder)
    }
  }
}
