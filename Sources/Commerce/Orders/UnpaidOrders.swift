import Notifications
import Postgres
import Reactor
import Values
import Web

/// Ends orders that nobody has paid in time, and gives back what they took from stock.
///
/// A run ends many together. One that fails is taken apart: the next ones end fewer, and an order that fails by itself
/// is left alone for a while, so that it holds up no other.
final class UnpaidOrders {
  /// The most orders of one run.
  static let ordersPerRun = 100
  /// How long an order that cannot be ended is left alone, in milliseconds.
  static let asideMilliseconds = Timestamp.millisecondsPerHour
  /// The most orders that are left alone; with more of them something else is wrong, and all are tried again.
  static let maximumAside = 1_000

  private let context: LoopContext
  private let meters: OrderMeters
  /// How many orders the next run ends.
  private var next = ordersPerRun
  /// Which ones the run in progress has taken.
  private var taken: [Identifier] = []
  /// Which ones are left alone, and until when.
  private var aside: [Identifier: Timestamp] = [:]
  /// What the run in progress has ended.
  private var ended: [Order] = []
  /// The tags of the products and lists that show another stock by that.
  private var changed: Set<CacheTag> = []

  init(_ context: LoopContext, _ meters: OrderMeters) {
    self.context = context
    self.meters = meters
  }

  var duty: Duty {
    Duty(
      name: "orders.unpaid", intervalSeconds: 10, timeoutMilliseconds: 60_000,
      run: { [self] in try await run($0) }, committed: { [self] in await committed() },
      failed: { [self] in await failed($0) })
  }

  private func run(_ transaction: Transaction) async throws -> Bool {
    let now = context.now
    aside = aside.filter { $0.value > now }
    let rows = try await transaction.query(Self.due, next, Array(aside.keys))
    taken = try rows.map { try $0.decode(Identifier.self, 0) }
    ended = try rows.map { try Order($0) }
    changed = []
    if ended.isEmpty { return false }
    // Of all at once: one order after the other would lock their products in no order.
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

  /// Has fewer orders ended by the next run; gives whether that is worth to be tried at once.
  private func failed(_ error: any Error) async -> Bool {
    // Perhaps it was committed after all, or will be.
    await context.cache.invalidate(Array(changed))
    if (error as? PostgresError)?.outcomeIsUnknown == true { context.cache.changeWasLost() }
    defer { (ended, taken, changed) = ([], [], []) }
    // A store that is away, or too slow, is no order's fault.
    guard !taken.isEmpty, (error as? PostgresError).map({ $0.kind == .server }) ?? true else { return false }
    next = max(1, taken.count / 2)
    guard taken.count == 1 else { return true }
    if aside.count >= Self.maximumAside { aside = [:] }
    aside[taken[0]] = context.now.advanced(byMilliseconds: Self.asideMilliseconds)
    context.logger.log(.warning, "An unpaid order cannot be ended") { [id = taken[0]] in
      $0.field("order", id)
      $0.field("error", error: error)
    }
    return true
  }

  /// Those that somebody moves right now are left for the next run.
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
