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
      "revenue_total", help: "Revenue of paid orders in minor units, counted after COMMIT.", labels: ["currency"])
    refunds = registry.counter(
      "refunds_total", help: "Refunds of orders in minor units, counted after COMMIT.", labels: ["currency"])
  }
}
