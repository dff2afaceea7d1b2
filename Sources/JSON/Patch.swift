/// What a JSON Merge Patch (RFC 7386) does to one optional member.
package enum Patch<Value> {
  /// The member is not named: it stays as it is.
  case absent
  /// The member is null: it is removed.
  case clear
  case set(Value)

  /// Returns the value of the member after the patch, `current` being the one before.
  package func applied(to current: Value?) -> Value? {
    switch self {
    case .absent: current
    case .clear: nil
    case .set(let value): value
    }
  }
}

extension Patch: Equatable where Value: Equatable {}
extension Patch: Sendable where Value: Sendable {}
