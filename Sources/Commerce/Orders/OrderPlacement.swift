import HTTP
import JSON
import Notifications
import Postgres
import Values
import Web

/// Buying: the server's prices, stock taken in the order's own transaction, and one order for each `Idempotency-Key`.
struct OrderPlacement: EndpointGroup {
  /// The most lines of an order.
  static let maximumLines = 100
  /// The most of one product in a line.
  static let maximumQuantity: Int64 = 1_000_000

  let context: LoopContext
  let meters: OrderMeters

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "createOrder", method: .post, template: "/api/orders", access: .user, summary: "Order from a business",
        details: """
          The server sets the prices and takes the goods out of stock. You may repeat the request with the same \
          `Idempotency-Key`: it makes one order, and for 24 hours every answer is the same, byte for byte. With \
          `expectedTotal`, an order that costs anything else is refused.
          """,
        tag: "Orders",
        parameters: [.idempotencyKey(isRequired: true)],
        body: .json(
          OrderInput.self,
          example: """
            {"businessId":"019aa5c0-0000-7000-8000-000000000001",\
            "lines":[{"productId":"019aa5c0-0000-7000-8000-000000000002","quantity":2}],\
            "expectedTotal":{"amount":700,"currency":"EUR"},\
            "contact":{"name":"Grace","email":"grace@example.org"},"fulfilment":{"kind":"pickup"}}
            """),
        success: Endpoint.Success(201, Order.schema, headers: ["Location", "ETag"]),
        refusals: [.idempotencyKeyMissing, .outOfStock, .priceChanged, .conflict], scopes: [.orders],
        handler: .async(place))
    ]
  }

  private func place(_ call: Call) async throws -> Response {
    let buyer = try call.user.id
    // The body alone, as the previous release compares it.
    let content = call.request.body
    guard let key = try IdempotencyKey(call.request, user: buyer, content: content, seal: context.answerSeal) else {
      throw Problem(.idempotencyKeyMissing, "Send an Idempotency-Key, so that this can be sent again safely.")
    }
    let form = try call.form(OrderInput.self)
    let business = form.business
    let (response, isRepeated) = try await call.makeOnce(key) { transaction, tags in
      let (order, taken) = try await place(form, for: buyer, at: call.now, in: transaction)
      if !taken.isEmpty { tags = [.products(of: business)] + taken.map { .product($0) } }
      return Made(location: "/api/orders/\(order.id)", body: order.body)
    }
    if !isRepeated {
      meters.placed()
      context.meters.action(.orderCreate)
    }
    return response
  }

  /// Takes the stock and places the order. Returns also the products of which stock was taken.
  private func place(
    _ new: OrderInput, for buyer: Identifier, at now: Timestamp, in transaction: Transaction
  ) async throws -> (Order, taken: Set<Identifier>) {
    let basket = Basket(new.lines)
    let rows = try await transaction.query(Self.offer, new.business, basket.products)
    let offer = try Offer(rows, of: basket, to: buyer)
    if let kind = new.fulfilment?.kind, !offer.fulfilment.contains(kind) {
      throw ValidationError("/fulfilment/kind", "is not what the business offers")
    }
    let lines = try offer.lines()
    let total = try lines.total()
    if let expected = new.expectedTotal, expected != total { throw Self.priceChanged(to: total) }
    let order = Order(
      id: context.makeIdentifier(), buyer: buyer, new: new, lines: lines, total: total, createdAt: now,
      expiresAt: now.advanced(byMilliseconds: offer.paymentWithin * Timestamp.millisecondsPerHour))
    guard let taken = try await Stock(try offer.limitedQuantities()).take(in: transaction) else {
      throw Problem(.outOfStock, "Someone else was faster: there is no longer enough in stock.")
    }
    try await insert(order, taken: taken, in: transaction)
    try await Outbox(context).put(order.placedNews, for: .business(order.business), in: transaction)
    return (order, taken)
  }

  private static func priceChanged(to total: Money) -> Problem {
    var problem = Problem(.priceChanged, "The order does not cost what was expected; `total` says what it costs now.")
    problem.extensions = [("total", JSONWriter.bytes(of: total))]
    return problem
  }

  private func insert(_ order: Order, taken: Set<Identifier>, in transaction: Transaction) async throws {
    let lines = order.lines
    try await transaction.execute(
      Self.insert, order.id, order.buyer, order.business, order.total.currency.description, order.total.amount,
      order.createdAt, lines.map(\.product), lines.map(\.name), lines.map(\.unit), lines.map(\.quantity),
      lines.map(\.unitPrice.amount), lines.map(\.total.amount), lines.map { taken.contains($0.product) },
      order.note, order.contact, order.fulfilment, order.expiresAt)
  }

  // MARK: SQL

  // The key share keeps the business from being deleted, and its owner from being erased, until the order is there.
  private static let offer = Statement(
    "orders.offer",
    """
    SELECT businesses.owner_id, coalesce(users.disabled, false), businesses.pickup, businesses.delivery,
      businesses.payment_within, \(Product.columns)
    FROM businesses LEFT JOIN users ON users.id = businesses.owner_id LEFT JOIN products
      ON products.business_id = businesses.id AND products.id = ANY ($2) AND products.deleted_at IS NULL
    WHERE businesses.id = $1 AND businesses.deleted_at IS NULL FOR KEY SHARE OF businesses
    """)
  private static let insert = Statement(
    "orders.insert",
    """
    WITH placed AS (
      INSERT INTO orders (
        id, buyer_id, business_id, status, currency, total, created_at, updated_at, note, contact, fulfilment, expires_at)
      VALUES ($1, $2, $3, 'pending', $4, $5, $6, $6, $14, $15, $16, $17)
    )
    INSERT INTO order_lines (order_id, position, product_id, name, unit, quantity, unit_price, total, stock_taken)
    SELECT $1, position - 1, product, name, unit, quantity, price, total, taken
    FROM unnest($7, $8, $9, $10, $11, $12, $13) WITH ORDINALITY
      AS line (product, name, unit, quantity, price, total, taken, position)
    """)
}

/// What is ordered, and from which business.
struct OrderInput: JSONForm {
  let business: Identifier
  let lines: [Basket.Line]
  /// What the buyer has agreed to pay.
  let expectedTotal: Money?
  let note: String?
  let contact: Contact?
  let fulfilment: Fulfilment?

  init(_ fields: inout Fields) {
    business = fields.required("businessId", .identifier)
    lines = fields.required(
      "lines", .array(1...OrderPlacement.maximumLines, of: .basketLine), "Lines of the same product are added up.")
    expectedTotal = fields.optional(
      "expectedTotal", .price,
      "The total that the buyer has agreed to; the order is refused if it costs anything else.")
    note = fields.optional("note", .text(1...1_000), "For the seller.")
    contact = fields.optional("contact", .contact, "Whom the seller can contact; both parties see it.")
    fulfilment = fields.optional("fulfilment", .fulfilment, "One of the ways that the business offers.")
  }
}
