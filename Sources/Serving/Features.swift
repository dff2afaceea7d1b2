import Accounts
import Commerce
import Gardens
import Insights
import Notifications
import Transfer
import Web

/// Everything that Terroir does for its users, on one loop.
struct Features {
  let all: [any Feature]
  let notifications: NotificationFeature

  init(_ context: LoopContext, _ shared: ServiceContext) {
    let gardens = GardenFeature(context)
    let insights = InsightFeature(
      context, gardens: gardens, circuits: shared.circuits, questions: shared.questions)
    notifications = NotificationFeature(context, lookups: shared.lookups)
    let owning: [any Feature] = [gardens, insights, CommerceFeature(context), notifications]
    let accounts = AccountFeature(context, others: owning)
    all = [accounts, TransferFeature(context, shares: shared.transfers, others: [accounts] + owning)] + owning
  }

  /// All that one replica at a time does in the background.
  var duties: [Duty] {
    let expiries = all.flatMap(\.expiries) + [IdempotencyKey.expiry, StatusRecord.expiry]
    return all.flatMap(\.duties) + expiries.map(\.duty)
  }

  /// Ends answers that have no end of their own.
  func close() { for feature in all { feature.close() } }

  /// Writes what is gathered in memory; takes no longer than a few statements may.
  func finish() async { for feature in all { await feature.finish() } }
}
