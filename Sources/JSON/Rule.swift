/// What a JSON value must be, and how it is read.
///
/// Rules are composed and given names where they recur:
///
///     extension Rule<Money> {
///       static var price: Rule { .object { Money(amount: $0.required("amount", .integer(0...Int64.max)), …) } }
///     }
package struct Rule<Value> {
  /// What a faulty value is read as, so that reading goes on.
  let placeholder: () -> Value
  /// Reads a value that is not null, or notes its faults under the pointer and gives the placeholder.
  let read: (_ value: JSONValue, _ pointer: String, _ faults: FaultList) -> Value

  init(
    placeholder: @escaping @autoclosure () -> Value,
    read: @escaping (_ value: JSONValue, _ pointer: String, _ faults: FaultList) -> Value
  ) {
    self.placeholder = placeholder
    self.read = read
  }

  /// A rule for values of one form: `form` gives nil for any other value, or throws the phrase that says what is amiss.
  init(
    _ expectation: String, placeholder: @escaping @autoclosure () -> Value,
    form: @escaping (JSONValue) throws(Mismatch) -> Value?
  ) {
    self.init(placeholder: placeholder()) { value, pointer, faults in
      do throws(Mismatch) {
        if let result = try form(value) { return result }
        faults.append(pointer, expectation)
      } catch {
        faults.append(pointer, error.detail)
      }
      return placeholder()
    }
  }

  /// The rule that the value also meets a condition; `expectation` completes "it …": `must be a multiple of 10`.
  package func checked(_ expectation: String, _ condition: @escaping (Value) -> Bool) -> Rule {
    converted(expectation, placeholder: placeholder()) { condition($0) ? $0 : nil }
  }

  /// The rule that makes something else of the value; nil is a fault.
  package func converted<Result>(
    _ expectation: String, placeholder: @escaping @autoclosure () -> Result, _ convert: @escaping (Value) -> Result?
  ) -> Rule<Result> {
    Rule<Result>(placeholder: placeholder()) { value, pointer, faults in
      let count = faults.count
      let read = read(value, pointer, faults)
      // What is already a placeholder is not judged again.
      guard faults.count == count else { return placeholder() }
      if let result = convert(read) { return result }
      faults.append(pointer, expectation)
      return placeholder()
    }
  }
}

/// What a value of the right type lacks, as a phrase for clients.
struct Mismatch: Error {
  let detail: String
}
