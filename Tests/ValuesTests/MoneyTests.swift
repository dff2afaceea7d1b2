import Testing
import Values

@Suite("Money")
struct MoneyTests {
  @Test("is of an active currency, by its upper-case code", arguments: ["EUR", "USD", "JPY", "XCG", "SLE", "ZWG"])
  func active(code: String) throws {
    #expect(try #require(CurrencyCode(code)).description == code)
  }

  @Test(
    "is not of a withdrawn, unknown or malformed one",
    arguments: ["DEM", "HRK", "BGN", "ZWL", "XXX", "XTS", "ABC", "eur", "EU", "EURO", "", "E R", "€", "EU\u{0}", "ÉU"])
  func inactive(code: String) {
    #expect(CurrencyCode(code) == nil)
  }

  @Test("adds and multiplies, with nil for a result that does not fit and for different currencies")
  func arithmetic() throws {
    let euro = try #require(CurrencyCode("EUR"))
    let dollar = try #require(CurrencyCode("USD"))
    func money(_ amount: Int64) -> Money { Money(amount: amount, currency: euro) }
    #expect(money(1_250).multiplied(by: 3) == money(3_750))
    #expect(money(.max).multiplied(by: 2) == nil)
    #expect(money(.min).multiplied(by: -1) == nil)
    #expect(money(1).adding(money(-2)) == money(-1))
    #expect(money(.max).adding(money(1)) == nil)
    #expect(money(1).adding(Money(amount: 1, currency: dollar)) == nil)
    #expect(dollar > euro)
  }
}
