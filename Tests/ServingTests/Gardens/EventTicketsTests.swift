import JSON
import Postgres
import Testing

@testable import Gardens
@testable import Settings

@Suite("Tickets for the events of a garden", .blocking)
struct EventTicketsTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("open a stream once, while the session or token that got them is valid")
  func once() throws {
    let device = try TestDevice(server)
    let path = "/api/gardens/\(device.garden)/events/tickets"
    let made = try device.owner.post(path, "")
    #expect(made.status == 201)
    #expect(made.header("cache-control") == "no-store")
    #expect(try made.json["expiresIn"]?.integer == 30)
    let ticket = try #require(try made.json["ticket"]?.text)
    let other = try TestDevice(server)
    #expect(try EventStream(server, "\(other.garden)", query: "?ticket=\(ticket)").status == 401)
    let stream = try EventStream(server, "\(device.garden)", query: "?ticket=\(ticket)")
    #expect(stream.status == 200)
    #expect(try EventStream(server, "\(device.garden)", query: "?ticket=\(ticket)").status == 401)
    try device.post(2)
    let first = try stream.take(2)
    #expect(try first.map { try $0.value } == [0, 1])

    let program = Client(server, token: try device.owner.makeToken([.read]))
    let again = try #require(try program.post(path, "").json["ticket"]?.text)
    let resumed = try EventStream(
      server, "\(device.garden)", query: "?lastEventId=\(first[0].id)&ticket=\(again)")
    #expect(try resumed.next() == first[1])
    #expect(try other.owner.post(path, "").status == 404)
    let last = try #require(try program.post(path, "").json["ticket"]?.text)
    let id = try #require(try device.owner.get("/api/tokens").json["items"]?.elements?.first?["id"]?.text)
    #expect(try device.owner.delete("/api/tokens/\(id)").status == 204)
    #expect(
      try holds {
        let ticket = try #require(try device.owner.post(path, "").json["ticket"]?.text)
        return try EventStream(server, "\(device.garden)", query: "?ticket=\(ticket)").status == 200
      })
    #expect(try EventStream(server, "\(device.garden)", query: "?ticket=\(last)").status == 401)
  }

  @Test("are refused while the account is being erased, without waiting: others' writes would wait behind them")
  func erased() throws {
    let device = try TestDevice(server)
    let (owner, garden) = (device.owner, device.garden)
    let token = try #require(owner.token)
    let server = server
    let reply = try server.answer(
      to: { try Client(server, token: token).post("/api/gardens/\(garden)/events/tickets", "") },
      before: {
        try await $0.execute(
          "SELECT FROM users WHERE id = (SELECT owner_id FROM gardens WHERE id = \(garden)) FOR UPDATE")
      })
    #expect(reply.status == 503)
    #expect(try owner.post("/api/gardens/\(garden)/events/tickets", "").status == 201)
  }

  @Test("are not used up by HEAD, which answers with the header fields of GET")
  func head() throws {
    let device = try TestDevice(server)
    let made = try device.owner.post("/api/gardens/\(device.garden)/events/tickets", "")
    let query = "?ticket=\(try #require(try made.json["ticket"]?.text))"
    func fields(_ reply: [(name: String, value: String)]) -> [String] {
      reply.filter { !["date", "x-request-id"].contains($0.name) }.map { "\($0.name): \($0.value.lowercased())" }
        .sorted()
    }
    let head = try Client(server).send("HEAD", "/api/gardens/\(device.garden)/events\(query)")
    #expect(head.status == 200 && head.header("content-length") == nil)
    let stream = try EventStream(server, "\(device.garden)", query: query)
    #expect(stream.status == 200)
    let shown = stream.head.split(separator: "\r\n").dropFirst().map { line in
      (name: String(line.prefix { $0 != ":" }), value: String(line.drop { $0 != ":" }.dropFirst(2)))
    }
    #expect(fields(head.headers) == fields(shown))
    for method in ["HEAD", "GET"] {
      #expect(try Client(server).send(method, "/api/gardens/\(device.garden)/events\(query)").status == 401)
    }
  }

  @Test("open nothing once they have expired")
  func late() throws {
    let device = try TestDevice(server)
    let garden = device.garden
    let ticket = try #require(try device.owner.post("/api/gardens/\(garden)/events/tickets", "").json["ticket"]?.text)
    try server.withDatabase { database in
      try await database.execute(
        "UPDATE event_tickets SET expires_at = now() - interval '1 s' WHERE garden_id = \(garden)")
    }
    #expect(try EventStream(server, "\(garden)", query: "?ticket=\(ticket)").status == 401)
  }
}
