import Notifications
import Postgres
import Reactor
import Values
import Web

/// Cancels orders that were not paid in time, and gives back what they took from stock.
///
/// A run cancels many together. After a failure the next runs take fewer, and an order that fails alone is set aside
/// for a while, so that it holds up no other.
final class UnpaidOrders {
  /// The most orders of one run.
  static let ordersPerRun = 100
  /// How long an order that cannot be cancelled is set aside, in milliseconds.
  static let asideMilliseconds = Timestamp.millisecondsPerHour
  /// The most orders that are set aside; with more of them something else is wrong, and all are tried again.
  static let maximumAside = 1_000

  private let context: LoopContext
  private let meters: OrderMeters
  /// How many orders the next run takes.
  private var next = ordersPerRun
  /// The orders that the run in progress has taken.
  private var taken: [Identifier] = []
  /// The orders that are set aside, and until when.
  private var aside: [Identifier: Timestamp] = [:]
  /// The orders that the run in progress cancels.
  private var ended: [Order] = []
  /// The tags of the products and lists whose stock this changes.
  private var changed: Set<CacheTag> = []

  init(_ context: LoopContext, _ meters: OrderMeters) {
    self.context = context
    self.meters = meters
  }

  var duty: Duty {
    Duty(
      name: "orders.unpaid", intervalSeconds: 10, timeoutMilliseconds: 60_000,
      run: { [self] in try await run($0) }, onCommit: { [self] in await committed() },
      onFailure: { [self] in await recover(from: $0) })
  }

  private func run(_ transaction: Transaction) async throws -> Bool {
    let now = context.now
    aside = aside.filter { $0.value > now }
    let rows = try await transaction.query(Self.due, next, Array(aside.keys))
    taken = try rows.map { try $0.decode(Identifier.self, 0) }
    ended = try rows.map { try Order($0) }
    changed = []
    if ended.isEmpty { return false }
    // Of all at once: one order after the other would lock their products in no fixed order.
    try await Stock.giveBack(of: ended.map(\.id), in: transaction)
    try await transaction.execute(Self.end, ended.map(\.id))
    let products = try await transaction.query(Self.products, ended.map(\.id))
    changed = Set(ended.map { .products(of: $0.business) })
    for row in products { changed.insert(.product(try row.decode(Identifier.self, 0))) }
    for order in ended { try await tell(of: order, in: transaction) }
    return ended.count == next
  }

  private func tell(of order: Order, in transaction: Transaction) async throws {
    guard let buyer = order.buyer else { return }
    let news = try Orders.order(try await transaction.query(Orders.byID, order.id, buyer)).movedNews
    for audience in [Audience.user(buyer), .business(order.business)] {
      try await Outbox(context).put(news, for: audience, in: transaction)
    }
  }

  private func committed() async {
    for var order in ended {
      order.status = .cancelled
      meters.moved(order, from: .pending)
    }
    await context.cache.invalidate(Array(changed))
    (ended, taken, changed) = ([], [], [])
    next = min(Self.ordersPerRun, 2 * next)
  }

  /// Has the next run take fewer orders. Returns whether it is worth trying at once.
  private func recover(from error: any Error) async -> Bool {
    // The transaction may have been committed all the same, or still be.
    await context.cache.invalidate(Array(changed))
    if (error as? PostgresError)?.outcomeIsUnknown == true { context.cache.changeWasLost() }
    defer { (ended, taken, changed) = ([], [], []) }
    // A store that is away, or too slow, is no order's fault.
    guard !taken.isEmpty, (error as? PostgresError).map({ $0.kind == .server }) ?? true else { return false }
    next = max(1, taken.count / 2)
    guard taken.count == 1 else { return true }
    if aside.count >= Self.maximumAside { aside = [:] }
    aside[taken[0]] = context.now.advanced(byMilliseconds: Self.asideMilliseconds)
    context.logger.log(.warning, "Cannot cancel an unpaid order") { [id = taken[0]] in
      $0.field("order", id)
      $0.field("error", error: error)
    }
    return true
  }

  /// Orders that another transaction moves right now are left for the next run.
  private static let due = Statement(
    "orders.due",
    """
    SELECT \(Order.columns) FROM orders
    WHERE status = 'pending' AND expires_at IS NOT NULL AND expires_at < now() AND id <> ALL ($2)
    ORDER BY expires_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
    """)
  private static let end = Statement(
    "orders.expire",
    """
    UPDATE orders SET status = 'cancelled', updated_at = greatest(now(), updated_at + interval '1 ms')
    WHERE id = ANY ($1) AND status = 'pending'
    """)
  private static let products = Statement(
    "orders.products", "SELECT DISTINCT product_id FROM order_lines WHERE order_id = ANY ($1)")
}
