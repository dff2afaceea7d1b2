import Metrics
import Values
import Web

/// The metrics of orders on one loop. Children are resolved when they are first needed.
final class OrderMeters {
  private let instruments: OrderInstruments
  private let shard: Int
  private let created: Counter
  private var transitions: [Step: Counter] = [:]
  private var revenue: [CurrencyCode: Counter] = [:]
  private var refunds: [CurrencyCode: Counter] = [:]

  private struct Step: Hashable {
    let from: OrderStatus
    let to: OrderStatus
  }

  init(_ instruments: Instruments, shard: Int) {
    self.instruments = instruments.orders
    self.shard = shard
    created = instruments.orders.created.child(shard: shard, OrderStatus.pending.rawValue)
  }

  /// Counts a new order. Called after its COMMIT.
  func placed() { created.increment() }

  /// Counts an order's step from `previous` to its present state, and the money that moved. Called after the COMMIT.
  func moved(_ order: Order, from previous: OrderStatus) {
    let step = Step(from: previous, to: order.status)
    let counter =
      transitions[step]
      ?? instruments.transitions.child(shard: shard, previous.rawValue, order.status.rawValue)
    transitions[step] = counter
    counter.increment()
    switch order.status {
    case .paid: add(order.total, to: &revenue, of: instruments.revenue)
    case .refunded: add(order.total, to: &refunds, of: instruments.refunds)
    case .cancelled where previous != .pending: add(order.total, to: &refunds, of: instruments.refunds)
    default: break
    }
  }

  private func add(_ money: Money, to counters: inout [CurrencyCode: Counter], of family: Family<Counter>) {
    let counter = counters[money.currency] ?? family.child(shard: shard, money.currency.description)
    counters[money.currency] = counter
    counter.increment(by: UInt64(money.amount))
  }
}
