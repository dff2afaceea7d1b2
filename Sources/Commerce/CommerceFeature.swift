import Postgres
import Values
import Web

/// Businesses, their products and the orders of these, on one loop.
package final class CommerceFeature: Feature {
  let context: LoopContext
  let meters: OrderMeters

  package init(_ context: LoopContext) {
    self.context = context
    meters = OrderMeters(context.meters.instruments, shard: context.meters.shard)
  }

  package var endpoints: [Endpoint] {
    let groups: [any EndpointGroup] = [
      Businesses(context: context), BusinessClosing(context: context), Products(context: context),
      OrderPlacement(context: context, meters: meters), Orders(context: context),
      OrderTransitions(context: context, meters: meters), OrderSummary(context: context),
    ]
    return groups.flatMap(\.endpoints)
  }

  package var duties: [Duty] { [UnpaidOrders(context, meters).duty] }
  package var expiries: [Expiry] { [] }

  /// Throws 409 while orders are open, on either side.
  package func requireErasable(_ user: Identifier, in transaction: Transaction) async throws {
    guard try await transaction.query(Self.openOrders, user).isEmpty else { throw BusinessClosing.openOrders }
  }

  /// Erases what a user wrote in orders, and the user's businesses except bare rows, which the orders of others refer
  /// to.
  package func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit {
    // Orders may have been placed since it was asked first.
    try await requireErasable(user, in: transaction)
    let (businesses, tags) = try await BusinessClosing.closeAll(of: user, at: context.now, in: transaction)
    try await transaction.execute(Self.forgetBuyer, user)
    try await transaction.execute(Self.forgetBuyerInNews, user)
    try await transaction.execute(Self.forgetProducts, businesses)
    try await transaction.execute(Self.forgetBusinesses, businesses)
    return { [context] in await context.cache.invalidate(tags) }
  }

  package func close() {}
  package func finish() async {}

  private static let openOrders = Statement(
    "erasure.openOrders",
    """
    SELECT 1 FROM orders WHERE buyer_id = $1 AND status IN (\(OrderStatus.openList))
    UNION ALL
    SELECT 1 FROM businesses JOIN orders ON orders.business_id = businesses.id
    WHERE businesses.owner_id = $1 AND orders.status IN (\(OrderStatus.openList))
    LIMIT 1
    """)
  /// Erases what a buyer wrote in orders.
  private static let forgetBuyer = Statement(
    "erasure.forgetBuyer",
    """
    UPDATE orders SET note = NULL, contact = NULL, fulfilment = NULL
    WHERE buyer_id = $1 AND (note IS NOT NULL OR contact IS NOT NULL OR fulfilment IS NOT NULL)
    """)
  /// Erases it also from the news of these orders that sellers have had, or that waits for them.
  private static let forgetBuyerInNews = Statement(
    "erasure.forgetBuyerInNews",
    """
    UPDATE deliveries SET data = data || '{"buyerId": null, "note": null, "contact": null, "fulfilment": null}'
    FROM orders JOIN businesses ON businesses.id = orders.business_id
      JOIN channels ON channels.user_id = businesses.owner_id
    WHERE orders.buyer_id = $1 AND deliveries.channel_id = channels.id AND deliveries.event = 'order'
      AND deliveries.data ->> 'id' = orders.id::text
    """)
  private static let forgetProducts = Statement(
    "erasure.forgetProducts", "DELETE FROM products WHERE business_id = ANY ($1)")
  private static let forgetBusinesses = Statement(
    "erasure.forgetBusinesses",
    """
    UPDATE businesses SET owner_id = NULL, name = '(erased)', description = NULL, latitude = NULL, longitude = NULL
    WHERE id = ANY ($1)
    """)
}
