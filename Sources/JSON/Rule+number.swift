extension Rule where Value == Int64 {
  /// An integer within bounds, written without fraction and exponent.
  package static func integer(_ range: ClosedRange<Int64> = Int64.min...Int64.max) -> Rule {
    Rule(.integer(in: range)) { value, place, faults in
      guard case .integer(let integer) = value else {
        return faults.note("must be an integer", at: place, reading: range.lowerBound)
      }
      if !range.contains(integer) { faults.note("must be \(phrase(range))", at: place) }
      return integer
    }
  }
}

extension Rule where Value == Double {
  /// A number within bounds; finite, as all JSON numbers are.
  package static func number(_ range: ClosedRange<Double>) -> Rule {
    Rule(.number(minimum: range.lowerBound, maximum: range.upperBound)) { value, place, faults in
      let number: Double
      switch value {
      case .integer(let integer): number = Double(integer)
      case .number(let double): number = double
      default: return faults.note("must be a number", at: place, reading: range.lowerBound)
      }
      if !range.contains(number) { faults.note("must be \(phrase(range))", at: place) }
      return number
    }
  }
}

extension Rule where Value == Bool {
  /// True or false.
  package static var boolean: Rule {
    Rule(.boolean) { value, place, faults in
      if case .bool(let bool) = value { return bool }
      return faults.note("must be true or false", at: place, reading: false)
    }
  }
}
