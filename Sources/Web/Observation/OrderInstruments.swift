import Metrics

/// The metrics of orders, and of the money that they move.
package struct OrderInstruments: Sendable {
  package let created: Family<Counter>
  package let transitions: Family<Counter>
  package let revenue: Family<Counter>
  package let refunds: Family<Counter>

  init(_ registry: Registry) {
    created = registry.counter("orders_created_total", help: "Orders made.", labels: ["status"])
    transitions = registry.counter(
      "order_transitions_total", help: "Orders moved from one state to another.", labels: ["from", "to"])
    revenue = registry.counter(
      "revenue_total", help: "Minor units of money of orders paid, after their COMMIT.", labels: ["currency"])
    refunds = registry.counter(
      "refunds_total", help: "Minor units of money of orders refunded, after their COMMIT.", labels: ["currency"])
  }
}
