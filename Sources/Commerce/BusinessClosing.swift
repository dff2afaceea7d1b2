import HTTP
import Postgres
import Values
import Web

/// Closes businesses: an open order forbids it, their products go with them, and past orders stay.
struct BusinessClosing: EndpointGroup {
  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "deleteBusiness", method: .delete, template: "/api/businesses/{id}", access: .user,
        summary: "Close your business",
        details: "Its products go with it; past orders keep what they need.", tag: "Businesses",
        success: Endpoint.Success(204), refusals: [.openOrders],
        handler: .async(close))
    ]
  }

  private func close(_ call: Call) async throws -> Response {
    try await context.cache.change { transaction, tags in
      let business = try await Businesses.own(call, Self.lock, in: transaction)
      tags = try await Self.close([business.id], at: call.now, in: transaction)
    }
    return call.noContent()
  }

  /// Closes all businesses of a user. Returns their ids, with those of businesses that were closed before, so that the
  /// rows can be erased, and the tags of what showed them. Throws 409 while they have open orders.
  static func closeAll(
    of user: Identifier, at now: Timestamp, in transaction: Transaction
  ) async throws -> (businesses: [Identifier], tags: [CacheTag]) {
    let businesses = try await transaction.query(lockAll, user).map { try $0.decode(Identifier.self, 0) }
    return (businesses, try await close(businesses, at: now, in: transaction))
  }

  /// Closes businesses that the transaction has locked. Returns the tags of what showed them.
  private static func close(
    _ businesses: [Identifier], at now: Timestamp, in transaction: Transaction
  ) async throws -> [CacheTag] {
    if businesses.isEmpty { return [] }
    guard try await transaction.query(open, businesses).isEmpty else { throw openOrders }
    // Products first: a transaction that changes one locks it before the words of its business.
    let products = try await transaction.query(closeProducts, businesses, now)
    try await transaction.execute(closeBusinesses, businesses, now)
    return try [.businesses] + businesses.flatMap { [.business($0), .products(of: $0)] }
      + products.map { .product(try $0.decode(Identifier.self, 0)) }
  }

  /// 409 for a business or an account that still has open orders.
  static var openOrders: Problem {
    Problem(.openOrders, "There are open orders. Cancel, deliver or refund them first.")
  }

  // Stronger than for a change: it keeps out orders and products, which hold a key share of their business until they
  // are committed.
  private static let lock = Statement("businesses.lockForDeletion", "\(Businesses.selectByID) FOR UPDATE")
  private static let lockAll = Statement(
    "businesses.lockAll", "SELECT id FROM businesses WHERE owner_id = $1 FOR UPDATE")
  private static let open = Statement(
    "businesses.openOrders",
    "SELECT 1 FROM orders WHERE business_id = ANY ($1) AND status IN (\(OrderStatus.openList)) LIMIT 1")
  private static let closeProducts = Statement(
    "businesses.closeProducts",
    "UPDATE products SET deleted_at = $2 WHERE business_id = ANY ($1) AND deleted_at IS NULL RETURNING id")
  private static let closeBusinesses = Statement(
    "businesses.close", "UPDATE businesses SET deleted_at = $2 WHERE id = ANY ($1) AND deleted_at IS NULL")
}
