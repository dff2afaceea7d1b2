import JSON
import Testing

@testable import Gardens

@Suite("The events of a public garden", .blocking)
struct PublicEventsTests {
  private let server: LiveServer
  private let owner: Client
  private let plot: Plot

  init() throws {
    server = try LiveServer.shared.get()
    let (owner, id) = try server.signedIn()
    self.owner = owner
    plot = try Plot(server, owner: id, isPublic: true)
    try plot.record("soil_moisture", (0..<12).map { (Double($0), 18 + Double($0) / 4) })
  }

  private func watch(
    _ client: Client? = nil, after id: String? = nil, on server: LiveServer? = nil
  ) throws -> EventStream {
    let stream = try EventStream(server ?? self.server, "\(plot.garden)", token: client?.token, after: id)
    #expect(stream.status == 200)
    return stream
  }

  /// Makes an insight and returns its JSON.
  private func makeInsight() throws -> JSONValue {
    let reply = try owner.post("/api/gardens/\(plot.garden)/insights", #"{"type":"watering"}"#)
    #expect(reply.status == 201)
    return try reply.json
  }

  /// All that a stranger is told of an insight.
  private func mark(of insight: JSONValue) throws -> String {
    let (id, time) = (try #require(insight["id"]?.text), try #require(insight["createdAt"]?.text))
    return #"{"id":"\#(id)","createdAt":"\#(time)"}"#
  }

  @Test("tell strangers only that there is an insight, and members what it says, live and after resuming")
  func strangers() throws {
    let viewer = try owner.share("\(plot.garden)", as: .viewer, with: server.signedIn().client)
    let members = try [owner, viewer].map { try watch($0) }
    let (stranger, _) = try server.signedIn()
    let strangers = try [nil, stranger].map { try watch($0) }
    let start = try #require(try strangers[0].nextPart()?.id)
    let insight = try makeInsight()
    let told = try members.map { try #require(try $0.next()) }
    #expect(told.allSatisfy { $0.name == "insight" && $0 == told[0] })
    #expect(try JSONReader.parse(Array(told[0].data.utf8)) == insight)
    let mark = EventStream.Event(id: told[0].id, name: "insight", data: try mark(of: insight))
    for stream in strangers { #expect(try stream.next() == mark) }
    for client in [nil, stranger] { #expect(try watch(client, after: start).next() == mark) }
    for client in [owner, viewer] { #expect(try watch(client, after: start).next() == told[0]) }
  }

  @Test("tell a guest what insights say for as long as the guest is a member")
  func membership() throws {
    // The server notices a new member at the next heartbeat.
    let quick = try server.replica(["EVENTS_HEARTBEAT_SECONDS": "1"])
    defer { quick.stop() }
    let (guest, _) = try server.signedIn()
    let stream = try watch(guest, on: quick)
    /// Whether the guest is told the whole of a new insight.
    func isTold() throws -> Bool {
      let insight = try makeInsight()
      let event = try #require(try stream.next())
      let isWhole = try JSONReader.parse(Array(event.data.utf8)) == insight
      #expect(try isWhole || event.data == mark(of: insight))
      return isWhole
    }
    #expect(try !isTold())
    try owner.share("\(plot.garden)", as: .viewer, with: guest)
    #expect(try holds(within: 60) { try isTold() })
    let members = try owner.get("/api/gardens/\(plot.garden)/members").json["items"]?.elements
    let id = try #require(members?.first?["id"]?.text)
    #expect(try owner.delete("/api/gardens/\(plot.garden)/members/\(id)").status == 204)
    #expect(try holds { try !isTold() })
    for _ in 0..<3 { #expect(try !isTold()) }
  }

  @Test("are the same text for strangers, except that insights are reduced to their id and time")
  func texts() throws {
    let reading = "id: 1-0\nevent: reading\ndata: {\"deviceId\":\"event: insight\"}\n\n"
    let insight = "id: 2-0\nevent: insight\ndata: {\"id\":\"a\",\"text\":\"dry\",\"createdAt\":\"b\"}\n\n"
    func told(_ text: String) throws -> String {
      let events = EventText(text: Array(text.utf8), last: try #require(EventID("9-0")))
      #expect(events.forStrangers.last == events.last)
      return String(decoding: events.forStrangers.text, as: UTF8.self)
    }
    #expect(try told(reading) == reading)
    let mark = "id: 2-0\nevent: insight\ndata: {\"id\":\"a\",\"createdAt\":\"b\"}\n\n"
    #expect(try told(reading + insight + reading + insight) == reading + mark + reading + mark)
    #expect(try told("id: 3-0\nevent: insight\ndata: not JSON\n\n") == "id: 3-0\nevent: insight\ndata: {}\n\n")
  }
}
