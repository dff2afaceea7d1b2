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
  /// Makes the schema of the values that obey the rule, as far as a schema can tell: only when it is asked for, since
  /// no request needs it.
  let describe: () -> Schema
  /// Reads a value, or notes its faults and returns a placeholder so that reading goes on. Null is a fault for every
  /// rule but `any`.
  let read: (_ value: JSONValue, _ place: Place, _ faults: FaultList) -> Value

  init(
    _ schema: @autoclosure @escaping () -> Schema,
    read: @escaping (_ value: JSONValue, _ place: Place, _ faults: FaultList) -> Value
  ) {
    describe = schema
    self.read = read
  }

  package var schema: Schema { describe() }

  /// The value that stands in for an absent one.
  var placeholder: Value { read(.null, .root, FaultList()) }

  /// This rule with one more condition, whose fault is `expectation`: `must be a multiple of 10`.
  ///
  /// `schema` describes both, as far as a schema can; nil keeps the schema of this rule.
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

  /// A rule that converts the value of this one; where `convert` returns nil, `expectation` is the fault and
  /// `placeholder` the value.
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
