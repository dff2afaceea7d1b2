import HTTP
import JSON
import Notifications
import Postgres
import Values
import Web

/// Moves orders from one state to the next. Of several requests for the same step only one succeeds.
struct OrderTransitions: EndpointGroup {
  /// How long a seller may leave a paid order as it is before the buyer may cancel or end it, in days.
  static let patienceDays = 14

  let context: LoopContext
  let meters: OrderMeters

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "moveOrder", method: .post, template: "/api/orders/{id}/transitions", access: .user,
        summary: "Move an order to another state",
        details: """
          pending → paid → preparing → shipped → delivered; pending, paid and preparing → cancelled; paid, preparing, \
          shipped and delivered → refunded. Buyer and seller may cancel a pending order; all other transitions are the \
          seller's. Once the seller's account is disabled, or the seller has left an order unchanged for \
          \(Self.patienceDays) days, the buyer may cancel it while it is paid or preparing, which counts as a refund, and \
          mark it as delivered when it is shipped. The goods of a cancelled or refunded order go back into stock.
          """,
        tag: "Orders",
        body: .json(OrderTransition.self, example: #"{"to":"paid"}"#),
        success: Endpoint.Success(200, Order.schema, headers: ["ETag"]),
        refusals: [.impossibleTransition], scopes: [.orders], handler: .async(move))
    ]
  }

  private func move(_ call: Call) async throws -> Response {
    let (id, user) = (try call.identifier("id"), try call.user.id)
    let next = try call.form(OrderTransition.self).next
    let (previous, order) = try await context.cache.change { transaction, tags in
      let rows = try await transaction.query(Orders.byID, id, user)
      var order = try Orders.order(rows)
      let previous = order.status
      guard previous.leads(to: next) else { throw Self.impossible(previous, next) }
      switch order.role(of: user).permission(from: previous, to: next) {
      case .always: break
      case .never: throw Problem(.forbidden, "Only the seller may do this.")
      case .whenNeglected: try await requireNeglect(of: order, for: user, in: transaction)
      }
      guard let row = try await transaction.query(Self.update, id, previous.rawValue, next.rawValue, call.now).first
      else { throw Problem(.impossibleTransition, "Someone else has just moved this order on.") }
      order.status = next
      order.updatedAt = try row.decode(Timestamp.self, 0)
      if next.givesStockBack {
        tags = [.products(of: order.business)] + order.lines.map { .product($0.product) }
        try await Stock.giveBack(of: [id], in: transaction)
      }
      if let other = order.audience(besides: user) {
        try await Outbox(context).put(order.movedNews, for: other, in: transaction)
      }
      return (previous, order)
    }
    meters.moved(order, from: previous)
    context.meters.action(.orderTransition)
    return call.ok(order.body)
  }

  /// Throws 409 unless the user is the buyer of the order, and its seller neglects it.
  private func requireNeglect(of order: Order, for user: Identifier, in transaction: Transaction) async throws {
    let isNeglected = try await !transaction.query(Self.neglected, order.id, user, Self.patienceDays).isEmpty
    if isNeglected { return }
    throw Problem(
      .impossibleTransition,
      "Only its buyer may do this, once the seller has left the order as it is for \(Self.patienceDays) days.")
  }

  private static let neglected = Statement(
    "orders.neglected",
    """
    SELECT FROM orders JOIN businesses ON businesses.id = orders.business_id
      LEFT JOIN users ON users.id = businesses.owner_id
    WHERE orders.id = $1 AND orders.buyer_id = $2
      AND (users.disabled IS NOT FALSE OR orders.updated_at < now() - $3 * interval '1 day')
    """)

  private static func impossible(_ previous: OrderStatus, _ next: OrderStatus) -> Problem {
    Problem(.impossibleTransition, "An order that is \(previous.rawValue) cannot become \(next.rawValue).")
  }

  // The status is compared again here, where the row is locked: of two requests that have read it, one changes it.
  private static let update = Statement(
    "orders.move",
    """
    UPDATE orders SET status = $3::text, updated_at = greatest($4, updated_at + interval '1 ms'),
      paid_at = CASE WHEN $3::text = 'paid' THEN $4 ELSE paid_at END,
      refunded_at = CASE WHEN $3::text = 'refunded' OR $2 <> 'pending' AND $3::text = 'cancelled' THEN $4
        ELSE refunded_at END
    WHERE id = $1 AND status = $2 RETURNING updated_at
    """)
}

/// The state that an order is to reach.
struct OrderTransition: JSONForm {
  let next: OrderStatus

  init(_ fields: inout Fields) { next = fields.required("to", .oneOf(OrderStatus.self)) }
}

extension Order {
  /// The side of the order on which a party to it stands.
  fileprivate func role(of user: Identifier) -> OrderRole { user == buyer ? .buyer : .seller }
}
