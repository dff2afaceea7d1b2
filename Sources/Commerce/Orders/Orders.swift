import HTTP
import JSON
import Postgres
import Values
import Web

/// Orders as their parties read them: the buyer, and the owner of the business.
struct Orders: EndpointGroup {
  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listOrders", method: .get, template: "/api/orders", access: .user, summary: "Your orders, bought and sold",
        details: "Newest first.", tag: "Orders",
        parameters: [
          .query("role", .cases(of: OrderRole.self), "Only orders that you bought, or that you sold."),
          .query("status", .cases(of: OrderStatus.self), "Only orders in this state."),
        ] + PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "OrderPage", Order.schema), headers: ["ETag", "Link"]),
        scopes: [.read, .orders], handler: .async(list)),
      Endpoint(
        "getOrder", method: .get, template: "/api/orders/{id}", access: .user, summary: "An order", tag: "Orders",
        success: Endpoint.Success(200, Order.schema, headers: ["ETag"]),
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
    let (orders, linesOfOrders) = try await context.longReads.read(for: call.client) { database in
      let orders = try await rows(of: user, role, status, page, from: database)
      return (orders, try await lines(of: orders, from: database))
    }
    return call.list(try page.body(call, orders) { try Order($0, lines: linesOfOrders) })
  }

  private func rows(
    of user: Identifier, _ role: OrderRole?, _ status: OrderStatus?, _ page: IdentifierPage, from database: Database
  ) async throws -> Rows {
    let statements = role.map { $0 == .buyer ? Self.bought : Self.sold } ?? Self.all
    guard let status else {
      return try await database.query(statements.ofAny, user, page.before, page.rowLimit)
    }
    return try await database.query(statements.ofOne, user, page.before, page.rowLimit, status.rawValue)
  }

  /// The rows of lines by their order. Lines never change, so they need not be of the same snapshot.
  private func lines(of orders: Rows, from database: Database) async throws -> [Identifier: [Row]] {
    let rows = try await database.query(Self.linesOf, try orders.map { try $0.decode(Identifier.self, 0) })
    return try Dictionary(grouping: rows) { try $0.decode(Identifier.self, 0) }
  }

  private func show(_ call: Call) throws -> RowAnswer {
    let (id, user) = (try call.identifier("id"), try call.user.id)
    return RowAnswer(context.database.prepared(Self.byID, id, user)) { $0.ok(try Self.order($1).body) }
  }

  /// Reads an order from the rows of `byID`; throws 404 when there are none.
  static func order(_ rows: Rows) throws -> Order {
    guard let first = rows.first else { throw Problem(.notFound, "You have no order with this id.") }
    var order = try Order(first)
    order.lines = try rows.map { row in
      var columns = row.columns
      let head = try Order(&columns)
      return try OrderLine(&columns, currency: head.total.currency)
    }
    return order
  }

  // MARK: SQL

  /// A row for each line of the order `$1`, if the user `$2` is a party to it: the order, then the line.
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

  // Each reads one index backwards (with the status in it where that is asked for) and stops after a page. The row
  // comparison `(column, id) < (…)` is what makes the planner choose that index: with `id < $2` alone, a generic plan
  // walks everybody's orders by their ids.
  private static func page(of column: String, _ value: String, isOfOne: Bool) -> String {
    let (columns, values) = isOfOne ? ("\(column), status", "\(value), $4") : (column, value)
    return """
      SELECT \(Order.columns) FROM orders
      WHERE (\(columns)) = (\(values)) AND (\(columns), id) < (\(values), $2) ORDER BY id DESC LIMIT $3
      """
  }
  private static func bought(_ isOfOne: Bool) -> String { page(of: "buyer_id", "$1", isOfOne: isOfOne) }
  private static func sold(_ isOfOne: Bool) -> String {
    """
    SELECT sold.* FROM businesses CROSS JOIN LATERAL (
    \(page(of: "business_id", "businesses.id", isOfOne: isOfOne))
    ) AS sold
    WHERE businesses.owner_id = $1 ORDER BY id DESC LIMIT $3
    """
  }

  /// The statements of a list: of orders in any state, and of those in the state `$4`.
  typealias Statements = (ofAny: Statement, ofOne: Statement)

  private static func statements(_ name: String, _ sql: (_ isOfOne: Bool) -> String) -> Statements {
    (Statement("orders.\(name)", sql(false)), Statement("orders.\(name)ByStatus", sql(true)))
  }
  static let bought = statements("bought") { bought($0) }
  static let sold = statements("sold") { sold($0) }
  // No user buys from their own business, so no order is in both.
  static let all = statements("all") { "(\(bought($0))) UNION ALL (\(sold($0))) ORDER BY id DESC LIMIT $3" }
}
