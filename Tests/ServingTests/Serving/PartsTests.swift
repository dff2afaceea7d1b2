import HTTP
import JSON
import Testing

@testable import Gardens
@testable import Web

@Suite("What is part of a garden", .blocking)
struct PartsTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("cannot be reached through another garden, whoever owns that")
  func elsewhere() throws {
    let ((owner, id), (stranger, _)) = (try server.signedIn(), try server.signedIn())
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0, 50)])
    let insight = try #require(
      try owner.post("/api/gardens/\(plot.garden)/insights", #"{"type":"watering"}"#).json["id"]?.text)
    // A viewer knows the ids of the garden's members, too.
    try owner.share("\(plot.garden)", as: .viewer, with: stranger)
    let members = try owner.get("/api/gardens/\(plot.garden)/members")
    let member = try #require(try members.items.first?["id"]?.text)

    let own = try stranger.makeGarden()
    let parts = try served { ($0.name, "\($0.method.name)", $0.template) }.filter { $0.2.count { $0 == "{" } > 1 }
    #expect(Set(parts.map(\.0)) == ["updateMember", "removeMember", "getInsight"])
    for (name, method, template) in parts {
      let target = template.replacing("{id}", with: own)
        .replacing("{memberId}", with: member).replacing("{insightId}", with: insight)
      let bodies: [String?] = method == "PATCH" ? [#"{"role":"manager"}"#, #"{"role":"owner"}"#] : [nil]
      for body in bodies { #expect(try stranger.send(method, target, body).status == 404, "\(name) \(body ?? "")") }
    }
    #expect(try owner.get("/api/gardens/\(plot.garden)/members").body == members.body)
    #expect(try stranger.get("/api/gardens/\(own)").status == 200)
  }
}
