/// Everything that Terroir does for its users, on one loop.
struct Features {
  let all: [any Feature]

  init(_ services: Services, _ parts: ServiceParts) {
    let gardens = GardenFeature(services)
    let insights = InsightFeature(services, gardens: gardens, circuits: parts.circuits)
    let owning: [any Feature] = [gardens, insights, CommerceFeature(services)]
    let accounts = AccountFeature(services, others: owning)
    all = [accounts, TransferFeature(services, shares: parts.transfers, others: [accounts] + owning)] + owning
  }

  /// All that one replica at a time does in the background.
  var duties: [Duty] {
    all.flatMap(\.duties) + [.expiry(all.flatMap(\.expiries) + [IdempotencyKey.expiry])]
  }

  /// Ends what clients hold open without end.
  func close() { for feature in all { feature.close() } }
}
