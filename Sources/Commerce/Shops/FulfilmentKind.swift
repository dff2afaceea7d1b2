import JSON

/// How goods change hands.
package enum FulfilmentKind: String, CaseIterable, Sendable {
  case pickup, delivery
}

extension [FulfilmentKind] {
  /// The kinds that two columns have.
  init(pickup: Bool, delivery: Bool) { self = (pickup ? [.pickup] : []) + (delivery ? [.delivery] : []) }

  package var hasPickup: Bool { contains(.pickup) }
  package var hasDelivery: Bool { contains(.delivery) }
}

extension Rule where Value == [FulfilmentKind] {
  static var fulfilmentKinds: Rule {
    .set(1...FulfilmentKind.allCases.count, of: .oneOf(FulfilmentKind.self), "kind")
  }
}
