extension Rule where Value == Int64 {
  /// An integer within bounds, written without fraction and exponent unless integral numbers like `1.0` are accepted.
  package static func integer(
    _ range: ClosedRange<Int64> = Int64.min...Int64.max, acceptingIntegralNumbers: Bool = false
  ) -> Rule {
    Rule("must be an integer", placeholder: range.lowerBound) { value throws(Mismatch) in
      let integer: Int64
      switch value {
      case .integer(let exact): integer = exact
      case .number(let number):
        guard acceptingIntegralNumbers, let exact = Int64(exactly: number) else { return nil }
        integer = exact
      default: return nil
      }
      guard range.contains(integer) else { throw Mismatch(detail: "must be \(phrase(range))") }
      return integer
    }
  }
}

extension Rule where Value == Double {
  /// A number within bounds; finite, as all JSON numbers are.
  package static func number(_ range: ClosedRange<Double>) -> Rule {
    Rule("must be a number", placeholder: range.lowerBound) { value throws(Mismatch) in
      let number: Double
      switch value {
      case .integer(let integer): number = Double(integer)
      case .number(let double): number = double
      default: return nil
      }
      guard range.contains(number) else { throw Mismatch(detail: "must be \(phrase(range))") }
      return number
    }
  }
}

extension Rule where Value == Bool {
  /// True or false.
  package static var boolean: Rule {
    Rule("must be true or false", placeholder: false) { value in
      if case .bool(let bool) = value { bool } else { nil }
    }
  }
}
