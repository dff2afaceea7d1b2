import JSON
import Postgres
import Secrets
import Values
import Web

/// Channels of users and the news that goes through them, on one loop.
package final class NotificationFeature: Feature {
  /// How long a delivery that has ended is listed, in days.
  static let keptDays = 30

  let context: LoopContext
  private let networks: AdmittedNetworks
  private let lookups: TargetLookups
  private let seal: Seal
  private let resealing: SecretResealing
  private var courier: Courier?

  /// `lookups` is shared by the whole process.
  package init(_ context: LoopContext, lookups: TargetLookups) {
    self.context = context
    self.lookups = lookups
    networks = AdmittedNetworks(allowed: context.configuration.notifications.allowedNetworks)
    seal = Seal(keys: context.configuration.accounts.keys("webhook secret 1"))
    resealing = SecretResealing(seal: seal) { count in
      context.logger.log(.info, "Webhook secrets were encrypted with the present key") { $0.field("secrets", count) }
    }
  }

  package var endpoints: [Endpoint] {
    let confirmation = ChannelConfirmation(context)
    let channels = Channels(
      context: context, networks: networks, lookups: lookups, seal: seal, confirmation: confirmation)
    return channels.endpoints + confirmation.endpoints
  }

  package var duties: [Duty] { resealing.duty.map { [$0] } ?? [] }

  package var expiries: [Expiry] { [Self.deliveryExpiry, MessageAllowance.expiry] }

  /// Channels without their secrets, which are for this server alone.
  package func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] {
    [
      ExportPart(
        kind: .channel,
        sql: "SELECT \(unescaped: Channel.columns) FROM channels WHERE user_id = \(user) ORDER BY id"
      ) { row, json in try Channel(row).write(&json, kindAs: "channelKind") }
    ]
  }

  /// Channels are deleted with their user.
  package func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit { {} }

  package func close() {}
  package func finish() async {}

  /// Starts the courier, on the one loop of each replica that delivers, unless notifications are turned off.
  package func startCourier() {
    guard context.configuration.notifications.isOn, courier == nil else { return }
    let courier = Courier(context, admits: networks, seal: seal)
    self.courier = courier
    courier.start()
  }

  /// Stops the courier; messages in flight are finished.
  package func stopCourier() { courier?.stop() }

  private static let deliveryExpiry = Expiry(
    "expiry.deliveries", from: "deliveries",
    where: "status <> 'pending' AND ended_at < now() - interval '\(keptDays) days'", orderBy: "ended_at")
}
