import Postgres
import Reactor
import Testing
import Values

@testable import Gardens
@testable import Settings
@testable import Web

extension Client {
  /// Makes a garden and returns its id.
  func makeGarden(_ json: String = #"{"name":"South slope"}"#) throws -> String {
    let reply = try post("/api/gardens", json)
    return try #require(try reply.json["id"]?.text, "\(reply.status) \(reply.text)")
  }

  /// Makes a device and returns its id and key.
  func makeDevice(in garden: String, _ json: String = #"{"name":"Probe"}"#) throws -> (id: String, key: String) {
    let reply = try post("/api/gardens/\(garden)/devices", json)
    let device = try reply.json
    return (try #require(device["id"]?.text, "\(reply.status) \(reply.text)"), try #require(device["key"]?.text))
  }
}

extension Client {
  /// Makes a personal access token and returns its text.
  func makeToken(_ scopes: [TokenScope], members: String = "") throws -> String {
    let names = scopes.map { "\"\($0.rawValue)\"" }.joined(separator: ",")
    let reply = try post("/api/tokens", #"{"name":"Script","scopes":[\#(names)]\#(members)}"#)
    return try #require(try reply.json["token"]?.text, "\(reply.status) \(reply.text)")
  }
}

extension Client {
  /// Invites `other` to a garden and has them accept; returns `other`.
  @discardableResult
  func share(_ garden: String, as role: MemberRole, with other: Client) throws -> Client {
    let email = try #require(try other.get("/api/users/me").json["email"]?.text)
    let invitation = try post("/api/gardens/\(garden)/members", #"{"email":"\#(email)","role":"\#(role.rawValue)"}"#)
    let token = try #require(try invitation.json["token"]?.text, "\(invitation.status) \(invitation.text)")
    #expect(try other.post("/api/invitations/\(token)", "").status == 200)
    return other
  }
}

extension LiveServer {
  /// Clients with a connection each: enough, in all likelihood, for both loops to have some.
  func clients(_ count: Int = 12, token: String? = nil) -> [Client] {
    (0..<count).map { _ in Client(self, token: token) }
  }

  /// Starts a second server with the same database and the same keys in Redis: another replica.
  func replica(_ settings: [String: String] = [:]) throws -> LiveServer {
    try LiveServer(
      ["DATABASE_URL": databaseURL, "REDIS_PREFIX": configuration.redis.keyPrefix].merging(settings) { $1 })
  }
}
