import HTTP
import JSON
import Postgres
import Values
import Web

/// Orders as their parties read them: the buyer, and the owner of the business.
struct Orders: EndpointGroup {
  let context: LoopContext

  package var endpoints: [Endpoint] {
    [
      Endpoint(
        "listOrders", method: .get, template: "/api/orders", access: .user, summary: "Your orders, bought and sold",
        details: "The newest come first.", tag: "Orders",
        parameters: [
          .query("role", .cases(of: OrderRole.self), "Only those that you bought, or sold."),
          .query("status", .cases(of: OrderStatus.self), "Only those in this state."),
        ] + PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "OrderPage", Order.schema), headers: ["ETag", "Link"]),
        refusals: [.invalidCursor], scopes: [.read, .orders], handler: .async(list)),
      Endpoint(
        "getOrder", method: .get, template: "/api/orders/{id}", access: .user, summary: "An order", tag: "Orders",
        success: Endpoint.Success(200, Order.schema, headers: ["ETag"]), refusals: [.notFound],
        scopes: [.read, .orders], handler: .row(show)),
    ]
  }

  private func list(_ call: Call) async throws -> Response {
    let user = try call.user.id
    let query = try call.query()
    let role = try query.word("role", OrderRole.self)
    let status = try query.word("status", OrderStatus.self)
    let page = try call.identifierPage(
      query, list: "orders:\(user):\(role?.rawValue ?? ""):\(status?.rawValue ?? "")")
    let rows = try await context.database.query(
      Self.statement(for: role), user, page.before, page.rowLimit, status?.rawValue)
    let lines = try await lines(of: rows)
    return call.list(CacheEntry(body: try page.body(call, rows) { try Order($0, lines: lines) }))
  }

  /// The rows of lines by their order. Lines never change, so they need not be of the same snapshot.
  private func lines(of orders: Rows) async throws -> [Identifier: [Row]] {
    let rows = try await context.database.query(Self.linesOf, try orders.map { try $0.decode(Identifier.self, 0) })
    return try Dictionary(grouping: rows) { try $0.decode(Identifier.self, 0) }
  }

  private func show(_ call: Call) throws -> RowAnswer {
    let (id, user) = (try call.identifier("id"), try call.user.id)
    return RowAnswer(context.database.prepared(Self.byID, id, user)) { $0.ok(try Self.order($1).body) }
  }

  /// The order that the rows of `byID` make; throws 404 when there are none.
  static func order(_ rows: Rows) throws -> Order {
    guard let first = rows.first else { throw Problem(.notFound, "You have no order with this id.") }
    var order = try Order(first)
    order.lines = try rows.map { row in
      var columns = row.columns
      let order = try Order(&columns)
      return try OrderLine(&columns, currency: order.total.currency)
    }
    return order
  }

  // MARK: SQL

  /// A row for each line of the order with that id, if that user is a party to it: the order, then the line.
  static let byID = Statement(
    "orders.byID",
    """
    SELECT \(Order.columns), \(OrderLine.columns)
    FROM orders JOIN businesses ON businesses.id = orders.business_id JOIN order_lines ON order_id = orders.id
    WHERE orders.id = $1 AND (orders.buyer_id = $2 OR businesses.owner_id = $2) ORDER BY position
    """)

  private static let linesOf = Statement(
    "orders.lines",
    """
    SELECT order_id, \(OrderLine.columns) FROM order_lines WHERE order_id = ANY ($1)
    ORDER BY order_id, position
    """)

  // Each walks down an index and stops after a page, however many orders there are.
  private static let bought = """
    SELECT \(Order.columns) FROM orders
    WHERE buyer_id = $1 AND id < $2 AND ($4::text IS NULL OR status = $4) ORDER BY id DESC LIMIT $3
    """
  private static let sold = """
    SELECT sold.* FROM businesses CROSS JOIN LATERAL (
      SELECT \(Order.columns) FROM orders
      WHERE business_id = businesses.id AND id < $2 AND ($4::text IS NULL OR status = $4) ORDER BY id DESC LIMIT $3
    ) AS sold
    WHERE businesses.owner_id = $1 ORDER BY id DESC LIMIT $3
    """
  private static let asBuyer = Statement("orders.bought", bought)
  private static let asSeller = Statement("orders.sold", sold)
  // Nobody buys from oneself, so no order is in both.
  private static let asEither = Statement(
    "orders.all", "(\(bought)) UNION ALL (\(sold)) ORDER BY id DESC LIMIT $3")

  private static func statement(for role: OrderRole?) -> Statement {
    switch role {
    case .buyer: asBuyer
    case .seller: asSeller
    case nil: asEither
    }
  }
}
