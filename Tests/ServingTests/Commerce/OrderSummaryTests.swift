import JSON
import Testing
import Values

@Suite("The summary of sales", .blocking)
struct OrderSummaryTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("adds up what was paid and refunded, by currency and UTC day")
  func sums() throws {
    let shop = try Shop(server)
    let (buyer, _) = try server.signedIn()
    let (euros, francs) = (try shop.offer(amount: 100), try shop.offer(amount: 7, currency: "CHF"))
    #expect(try shop.owner.get("/api/orders/summary").text == #"{"items":[],"nextCursor":null}"#)
    // In turn: unpaid; paid on the 1st; paid on the 2nd; paid on the 1st and refunded on the 3rd; in francs.
    let orders = try [(euros, 1), (euros, 2), (euros, 4), (euros, 8), (francs, 1)].map { product, quantity in
      try #require(try buyer.order(shop.id, [(product, Int64(quantity))]).json["id"]?.text)
    }
    for order in orders[1...] { try shop.owner.post("/api/orders/\(order)/transitions", #"{"to":"paid"}"#) }
    try shop.owner.post("/api/orders/\(orders[3])/transitions", #"{"to":"refunded"}"#)
    let moments = [
      ("paid", orders[1], "2026-03-01T00:00:00.000Z"), ("paid", orders[2], "2026-03-02T23:59:59.999Z"),
      ("paid", orders[3], "2026-03-01T12:00:00Z"), ("refunded", orders[3], "2026-03-03T00:00:00Z"),
      ("paid", orders[4], "2026-03-01T12:00:00Z"),
    ]
    try server.withDatabase { database in
      for (column, order, time) in moments {
        try await database.execute(
          "UPDATE orders SET \(unescaped: column)_at = \(time) WHERE id = \(order)")
      }
    }
    func lines(_ query: String = "") throws -> [String] {
      (try shop.owner.get("/api/orders/summary?\(query)").json["items"]?.elements ?? []).map { item in
        let numbers = ["orders", "paid", "refunded", "net"].map { "\(item[$0]?.integer ?? -1)" }
        return ([item["date"]?.text ?? "", item["currency"]?.text ?? ""] + numbers).joined(separator: " ")
      }
    }
    let all = [
      "2026-03-01 CHF 1 7 0 7", "2026-03-01 EUR 2 1000 0 1000", "2026-03-02 EUR 1 400 0 400",
      "2026-03-03 EUR 0 0 800 -800",
    ]
    #expect(try lines() == all)
    #expect(try lines("from=2026-03-01&to=2026-03-02") == Array(all[..<2]))
    #expect(
      try lines("from=2026-03-01T00:00:00.001Z&to=2026-03-02T23:59:59.999Z") == [all[0], "2026-03-01 EUR 1 800 0 800"])
    #expect(try lines("from=2026-03-03T01:00:00%2B01:00") == [all[3]])
    #expect(try lines("to=2026-03-01") == [])
    #expect(try lines("from=2026-03-02&to=2026-03-02") == [])
    #expect(try buyer.get("/api/orders/summary").text == #"{"items":[],"nextCursor":null}"#)
    for bad in ["from=yesterday", "from=2026-03-02&to=2026-03-01", "from=", "to=2026-02-30", "to=a&to=b"] {
      #expect(try shop.owner.get("/api/orders/summary?\(bad)").status == 400)
    }
    #expect(try Client(server).get("/api/orders/summary").status == 401)
  }

  @Test("is paged by spans of a year, with each day once")
  func pages() throws {
    let shop = try Shop(server)
    let (buyer, _) = try server.signedIn()
    let product = try shop.offer(amount: 100)
    let days = ["2021-05-01", "2022-05-01", "2022-05-02", "2022-05-03", "2026-01-31"]
    for day in days {
      let order = try #require(try buyer.order(shop.id, [(product, 1)]).json["id"]?.text)
      try server.withDatabase { database in
        try await database.execute("UPDATE orders SET paid_at = \(day + "T10:00:00Z") WHERE id = \(order)")
      }
    }
    let pages = try shop.owner.pages(from: "/api/orders/summary?from=2020-01-01")
    for page in pages { #expect((try page.json["nextCursor"]?.text == nil) == (page.next == nil)) }
    let dates = try pages.map { try $0.items.compactMap { $0["date"]?.text } }
    #expect(dates == [Array(days[..<2]), Array(days[2..<4]), Array(days[4...])])
    #expect(try shop.owner.get("/api/orders/summary?cursor=nonsense").problem == "invalid-cursor")
  }

  @Test("is exact beyond what Int64 holds")
  func large() throws {
    let shop = try Shop(server)
    let (buyer, _) = try server.signedIn()
    let product = try shop.offer(amount: .max)
    for _ in 0..<2 {
      let order = try #require(try buyer.order(shop.id, [(product, 1)]).json["id"]?.text)
      try shop.owner.post("/api/orders/\(order)/transitions", #"{"to":"paid"}"#)
    }
    #expect(try shop.owner.get("/api/orders/summary").text.contains(#""paid":18446744073709551614,"refunded":0"#))
  }
}
