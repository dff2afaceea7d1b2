import JSON
import Postgres
import Values
import Web

/// What a business offers of a basket, at its present prices.
struct Offer {
  private let basket: Basket
  private let products: [Identifier: Product]
  let fulfilment: [FulfilmentKind]
  /// How long an order may stay unpaid, in hours.
  let paymentWithin: Int64

  /// Reads rows with the business's owner, whether that account is disabled, how the business sells, and a product. A
  /// business that sells nothing of the basket has a single row without a product; no row is no business. Throws 422
  /// for that and when the buyer is the owner, and 409 when the owner is disabled.
  init(_ rows: Rows, of basket: Basket, to buyer: Identifier) throws {
    guard let first = rows.first else { throw ValidationError("/businessId", "is not the id of a business") }
    let (owner, isDisabled, hasPickup, hasDelivery, hours) = try first.decode(
      (Identifier?.self, Bool.self, Bool.self, Bool.self, Int64.self))
    fulfilment = [FulfilmentKind](pickup: hasPickup, delivery: hasDelivery)
    paymentWithin = hours
    if owner == buyer {
      throw ValidationError("/businessId", "is your own business")
    }
    if isDisabled { throw Problem(.conflict, "This business is not taking orders at the moment.") }
    let found = try rows.filter { !$0[5].isNull }.map { row in
      var columns = row.columns
      for _ in 0..<5 { _ = columns.nextCell() }
      return try Product(&columns)
    }
    products = Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
    self.basket = basket
  }

  /// Returns the lines of an order of the whole basket. Throws 422 for what the business does not sell, for several
  /// currencies, and for sums that do not fit.
  func lines() throws(ValidationError) -> [OrderLine] {
    var faults: [JSON.Fault] = []
    var lines: [OrderLine] = []
    let currency = basket.items.lazy.compactMap { products[$0.product]?.price.currency }.first
    for item in basket.items {
      guard let product = products[item.product] else {
        faults.append(item.fault("productId", "is not the id of a product of this business"))
        continue
      }
      if let currency, product.price.currency != currency {
        faults.append(item.fault("productId", "is sold in \(product.price.currency), others in \(currency)"))
        continue
      }
      guard let total = product.price.multiplied(by: item.quantity) else {
        faults.append(item.fault("quantity", "makes the total too large"))
        continue
      }
      lines.append(
        OrderLine(
          product: product.id, name: product.name, unit: product.unit, quantity: item.quantity,
          unitPrice: product.price, total: total))
    }
    if !faults.isEmpty { throw ValidationError(faults) }
    return lines
  }

  /// Returns what has to be taken from limited stock. Throws 409 when the rows show already that there is not enough.
  func limitedQuantities() throws -> [Identifier: Int64] {
    var quantities: [Identifier: Int64] = [:]
    var faults: [JSON.Fault] = []
    for item in basket.items {
      guard let stock = products[item.product]?.stock else { continue }
      if stock < item.quantity { faults.append(item.fault("quantity", "is more than the \(stock) left")) }
      quantities[item.product] = item.quantity
    }
    if !faults.isEmpty { throw Problem(.outOfStock, "There is not enough in stock.", faults: faults) }
    return quantities
  }
}

extension [OrderLine] {
  /// The sum of all lines; throws 422 when it does not fit. There is at least one, and all are in one currency.
  func total() throws(ValidationError) -> Money {
    var sum = Money(amount: 0, currency: self[0].total.currency)
    for line in self {
      guard let next = sum.adding(line.total) else {
        throw ValidationError("/lines", "make a total that is too large")
      }
      sum = next
    }
    return sum
  }
}
