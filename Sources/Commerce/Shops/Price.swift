import JSON
import Postgres
import Values
import Web

extension Money {
  /// Reads an amount and its currency from the next two columns.
  init(_ columns: inout Columns) throws {
    let amount = try columns.next(Int64.self)
    let cell = columns.nextCell()
    guard let currency = CurrencyCode(try String.decode(cell)) else { throw cell.mismatch("an active currency") }
    self.init(amount: amount, currency: currency)
  }

  static var schema: Schema { Rule.price.schema }
}

/// A merge patch of a price, which may name one member alone (RFC 7386, section 2).
struct PriceChange {
  let amount: Int64?
  let currency: CurrencyCode?

  /// Returns the price after the change.
  func applied(to current: Money) -> Money {
    Money(amount: amount ?? current.amount, currency: currency ?? current.currency)
  }
}

extension Rule where Value == Money {
  /// A price: an amount in minor units, which may be 0.
  package static var price: Rule {
    .object(named: "Money") { fields in
      Money(
        amount: fields.required("amount", .integer(0...Int64.max), "Minor units, such as cents."),
        currency: fields.required("currency", .currency, "ISO 4217."))
    }
  }
}

extension Rule where Value == PriceChange {
  /// A price in a merge patch.
  static var priceChange: Rule {
    .object(named: "MoneyChange") { fields in
      PriceChange(
        amount: fields.change("amount", .integer(0...Int64.max)), currency: fields.change("currency", .currency))
    }
  }
}

extension Rule where Value == CurrencyCode {
  /// Three capital letters of the active ISO 4217 list.
  static var currency: Rule {
    Rule<String>.string(1...16).converted(
      "must be an active ISO 4217 code such as EUR", placeholder: .euro, schema: .string(pattern: "^[A-Z]{3}$")
    ) {
      CurrencyCode($0)
    }
  }
}

extension CurrencyCode {
  fileprivate static let euro = CurrencyCode("EUR")!
}
