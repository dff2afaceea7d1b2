/// An amount in the minor units of a currency, such as cents. Arithmetic never overflows silently.
package struct Money: Hashable, Sendable {
  /// Minor units; negative for what is owed back.
  package let amount: Int64
  package let currency: CurrencyCode

  package init(amount: Int64, currency: CurrencyCode) {
    self.amount = amount
    self.currency = currency
  }

  /// The sum, or nil when it does not fit or the currencies differ.
  package func adding(_ other: Money) -> Money? {
    guard currency == other.currency else { return nil }
    let (sum, overflow) = amount.addingReportingOverflow(other.amount)
    return overflow ? nil : Money(amount: sum, currency: currency)
  }

  /// The amount times `factor`, or nil when it does not fit.
  package func multiplied(by factor: Int64) -> Money? {
    let (product, overflow) = amount.multipliedReportingOverflow(by: factor)
    return overflow ? nil : Money(amount: product, currency: currency)
  }
}
