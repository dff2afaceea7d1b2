import JSON

/// How goods change hands.
package enum FulfilmentKind: String, CaseIterable, Sendable {
  case pickup, delivery
}

extension Rule where Value == [FulfilmentKind] {
  static var fulfilmentKinds: Rule {
    .set(1...FulfilmentKind.allCases.count, of: .oneOf(FulfilmentKind.self), "kind")
  }
}
