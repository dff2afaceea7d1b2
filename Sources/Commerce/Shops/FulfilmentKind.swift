import JSON

/// How goods change hands.
package enum FulfilmentKind: String, CaseIterable, Sendable {
  case pickup, delivery
}

extension Rule where Value == [FulfilmentKind] {
  static var fulfilmentKinds: Rule {
    let kinds = Rule.array(1...FulfilmentKind.allCases.count, of: .oneOf(FulfilmentKind.self))
    return kinds.checked("must name each kind once", schema: kinds.schema.withUniqueItems) {
      Set($0).count == $0.count
    }
  }
}
