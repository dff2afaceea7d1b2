import JSON
import Postgres
import Testing
import Values

@testable import Notifications

@Suite("An email channel", .blocking, .serialized)
struct ConfirmationTests {
  private static let setUp = Result {
    let mail = try MailServer()
    let server = try LiveServer(mail.settings.merging(["NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8"]) { $1 })
    return (mail: mail, server: server)
  }
  private let mail: MailServer
  private let server: LiveServer

  init() throws { (mail, server) = try Self.setUp.get() }

  private func make(_ client: Client, to address: String, events: String = #"["order"]"#) throws -> Reply {
    try client.post("/api/channels", #"{"kind":"email","target":"\#(address)","events":\#(events)}"#)
  }

  /// An address that nobody has used.
  private func address() -> String { "\(Identifier.make(unixMilliseconds: 0))@elsewhere.example" }

  @Test("sends an address one mail, and nothing else until its code has come back")
  func life() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let address = address()
    let made = try make(shop.owner, to: address)
    #expect(made.status == 201)
    #expect(try made.json["confirmed"]?.bool == false)
    #expect(try made.json["enabled"]?.bool == false)
    let path = try #require(made.header("location"))
    let (buyer, _) = try server.signedIn()
    #expect(try buyer.order(shop.id, [(product, 1)]).status == 201)
    #expect(try shop.owner.send("POST", "\(path)/test").status == 409)
    #expect(try shop.owner.patch(path, #"{"enabled":true}"#).status == 409)
    let code = try mail.code(sentTo: address)
    #expect(try holds(within: 30) { try statuses(shop.owner, path) == ["channel.confirmation delivered"] })

    let confirmation = "\(path)/confirmation"
    for wrong in ["0000-0000-0000", "x", code + "0", "+" + code.dropFirst()] {
      #expect(try shop.owner.post(confirmation, #"{"code":"\#(wrong)"}"#).pointers == ["/code"])
    }
    #expect(try buyer.post(confirmation, #"{"code":"\#(code)"}"#).status == 404)
    let confirmed = try shop.owner.post(
      confirmation, #"{"code":"\#(code.filter { $0 != "-" }.uppercased())"}"#)
    #expect(confirmed.status == 200)
    #expect(try confirmed.json["confirmed"]?.bool == true)
    #expect(try confirmed.json["enabled"]?.bool == true)
    #expect(try buyer.order(shop.id, [(product, 1)]).status == 201)
    #expect(holds(within: 30) { mail.texts(to: address).count == 2 })

    let other = self.address()
    let moved = try shop.owner.patch(path, #"{"target":"\#(other)"}"#)
    #expect(try moved.json["confirmed"]?.bool == false)
    #expect(try shop.owner.post(confirmation, #"{"code":"\#(code)"}"#).pointers == ["/code"])
    #expect(try mail.code(sentTo: other) != code)
  }

  /// The listed deliveries of a channel: type and status.
  private func statuses(_ client: Client, _ path: String) throws -> [String] {
    try (client.get("\(path)/deliveries").json["items"]?.elements ?? []).map {
      "\($0["type"]?.text ?? "") \($0["status"]?.text ?? "")"
    }
  }

  @Test("asks the account's own address to confirm too, since nobody has verified it")
  func own() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let address = "\(shop.ownerID)@example.org"
    let made = try make(shop.owner, to: address)
    #expect(try made.json["confirmed"]?.bool == false)
    #expect(try made.json["enabled"]?.bool == false)
    let path = try #require(made.header("location"))
    #expect(try server.signedIn().client.order(shop.id, [(product, 1)]).status == 201)
    let code = try mail.code(sentTo: address)
    #expect(try holds(within: 30) { try statuses(shop.owner, path) == ["channel.confirmation delivered"] })
    #expect(try shop.owner.post("\(path)/confirmation", #"{"code":"\#(code)"}"#).json["enabled"]?.bool == true)
    #expect(mail.texts(to: address).count == 1)
  }

  /// Makes a channel and deletes it again; returns the status of the first.
  private func ask(_ address: String, for client: Client) throws -> Int {
    let made = try make(client, to: address)
    if let path = made.header("location") { #expect(try client.delete(path).status == 204) }
    return made.status
  }

  @Test(
    "asks an address three times a day for a user and ten times for all, however often channels are recreated")
  func boundsOfAddress() throws {
    let address = address()
    let clients = try (0..<4).map { _ in try server.signedIn().client }
    for client in clients[..<3] { for _ in 0..<3 { #expect(try ask(address, for: client) == 201) } }
    let refused = try make(clients[0], to: address.uppercased())
    #expect(refused.status == 429 && refused.header("retry-after") == "3600")
    #expect(try (0..<2).map { _ in try ask(address, for: clients[3]) } == [201, 429])
    #expect(try ask(self.address(), for: clients[3]) == 201)
  }

  @Test("asks ten addresses a day for a user, however often channels are recreated")
  func bounds() throws {
    let (client, _) = try server.signedIn()
    for _ in 0..<10 { #expect(try ask(self.address(), for: client) == 201) }
    #expect(try ask(self.address(), for: client) == 429)
  }

  @Test("or any other allows ten tests an hour for a user, however often channels are recreated")
  func tests() throws {
    let (client, _) = try server.signedIn()
    func test() throws -> Int {
      let path = try #require(
        try client.post("/api/channels", #"{"kind":"webhook","target":"http://127.0.0.1:1/","events":["order"]}"#)
          .header("location"))
      defer { _ = try? client.delete(path) }
      return try client.send("POST", "\(path)/test").status
    }
    #expect(try (0..<11).map { _ in try test() } == Array(repeating: 202, count: 10) + [429])
  }

  @Test("that awaits confirmation cannot be switched on by a release that knows no confirmation")
  func releaseBefore() throws {
    let made = try make(server.signedIn().client, to: address())
    let id = try #require(try made.json["id"]?.text.flatMap { Identifier($0) })
    #expect(throws: PostgresError.self) {
      try server.withDatabase { database in
        try await database.execute("UPDATE channels SET disabled_at = NULL WHERE id = \(id)")
      }
    }
  }
}
