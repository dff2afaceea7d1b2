import JSON
import Postgres
import Testing
import Values

@testable import HTTP
@testable import Notifications
@testable import Secrets

@Suite("Channels", .blocking)
struct ChannelsTests {
  private let server: LiveServer
  private let client: Client

  init() throws {
    server = try LiveServer.shared.get()
    client = try server.signedIn().client
  }

  private func make(_ members: String = "") throws -> Reply {
    try client.post(
      "/api/channels", #"{"kind":"webhook","target":"https://203.0.113.7/hook","events":["insight"]\#(members)}"#)
  }

  @Test("show a webhook's secret once, and are listed, changed and deleted by their owner alone")
  func life() throws {
    let made = try make()
    #expect(made.status == 201)
    let channel = try made.json
    #expect(channel["secret"]?.text?.hasPrefix("whsec_") == true)
    #expect(channel["minimumSeverity"]?.text == "notice")
    #expect(channel["enabled"]?.bool == true)
    let path = try #require(made.header("location"))
    let shown = try client.get(path)
    #expect(try shown.json["secret"] == nil)
    #expect(try client.get("/api/channels").json["items"]?.elements?.count == 1)

    let change = #"{"quietHours":{"from":"22:00","to":"06:30","timeZone":"Europe/Paris"},"digest":"daily"}"#
    let changed = try client.patch(path, change, headers: ["If-Match: \(try #require(shown.header("etag")))"])
    #expect(changed.status == 200)
    #expect(try changed.json["quietHours"]?["to"]?.text == "06:30")
    #expect(try client.patch(path, #"{"quietHours":null}"#).json["digest"]?.text == "daily")
    #expect(try client.patch(path, "{}", headers: ["If-Match: \(shown.header("etag")!)"]).status == 412)

    let stranger = try server.signedIn().client
    for reply in [
      try stranger.get(path), try stranger.patch(path, "{}"), try stranger.delete(path),
      try stranger.send("POST", "\(path)/test"), try stranger.get("\(path)/deliveries"),
    ] {
      #expect(reply.status == 404)
    }
    let export = try client.get("/api/users/me/export").text
    #expect(export.contains(#""kind":"channel""#) && !export.contains("whsec_"))
    #expect(try client.delete(path).status == 204)
    #expect(try client.get(path).status == 404)
  }

  @Test("can be changed with a tag from before a delivery failed or succeeded again")
  func bookkeeping() throws {
    let ntfy = #"{"kind":"ntfy","target":"https://203.0.113.7/topic","events":["order"]}"#
    for made in [try make(), try client.post("/api/channels", ntfy)] {
      #expect(made.status == 201 && made.header("etag") == nil, "a tag of these bytes alone would match nothing later")
      let path = try #require(made.header("location"))
      let id = try #require(try made.json["id"]?.text.flatMap { Identifier($0) })
      let before = try #require(try client.get(path).header("etag"))
      try server.withDatabase { database in
        try await database.execute("UPDATE channels SET failing_since = now(), failures = 1 WHERE id = \(id)")
      }
      let failing = try client.get(path, headers: ["If-None-Match: \(before)"])
      #expect(failing.status == 200 && failing.header("etag") != before, "a strong tag stands for the same bytes")
      let changed = try client.patch(path, #"{"events":["device"]}"#, headers: ["If-Match: \(before)"])
      #expect(changed.status == 200)
      #expect(try changed.json["failingSince"]?.text != nil)
      let after = try #require(changed.header("etag"))
      #expect(try client.get(path, headers: ["If-None-Match: \(after)"]).status == 304)
      for stale in [before, try #require(failing.header("etag"))] {
        #expect(try client.patch(path, "{}", headers: ["If-Match: \(stale)"]).status == 412)
        #expect(try client.delete(path, headers: ["If-Match: \(stale)"]).status == 412)
      }
      try server.withDatabase { database in
        try await database.execute("UPDATE channels SET failing_since = NULL, failures = 0 WHERE id = \(id)")
      }
      #expect(try client.delete(path, headers: ["If-Match: \(after)"]).status == 204)
    }
  }

  @Test("can be changed and deleted with a tag of the previous release, which is the digest alone")
  func tagOfReleaseBefore() throws {
    let path = try #require(try make().header("location"))
    func digest() throws -> String {
      let tag = try #require(try client.get(path).header("etag"))
      return "\"" + tag[tag.index(after: try #require(tag.firstIndex(of: ".")))...]
    }
    let (before, other) = (try digest(), "\"\(String(repeating: "0", count: 32))\"")
    #expect(try client.patch(path, "{}", headers: ["If-Match: \(other)"]).status == 412)
    #expect(try client.patch(path, #"{"events":["device"]}"#, headers: ["If-Match: \(before)"]).status == 200)
    #expect(try client.patch(path, "{}", headers: ["If-Match: \(before)"]).status == 412)
    for tag in [before, "W/\(try digest())"] {
      #expect(try client.delete(path, headers: ["If-Match: \(tag)"]).status == 412)
    }
    #expect(try client.delete(path, headers: ["If-Match: \(try digest())"]).status == 204)
  }

  @Test(
    "refuse addresses in private networks, and targets to which news cannot be sent",
    arguments: [
      "http://127.0.0.1/", "http://localhost:3000/x", "https://10.1.2.3/", "http://192.168.1.1/", "http://[::1]/",
      "http://169.254.169.254/latest/meta-data", "http://[fd00::1]/", "http://[fe80::1]/", "http://2130706433/",
      "http://0x7f.1/", "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/", "http://0.0.0.0/",
      "http://100.64.0.1/",
      "ftp://203.0.113.7/", "https://user:word@203.0.113.7/", "nothing",
    ])
  func targets(target: String) throws {
    let reply = try client.post("/api/channels", #"{"kind":"webhook","target":"\#(target)","events":["order"]}"#)
    #expect(reply.status == 422)
    #expect(reply.pointers == ["/target"])
    let made = try make()
    let path = try #require(made.header("location"))
    #expect(try client.patch(path, #"{"target":"\#(target)"}"#).pointers == ["/target"])
    #expect(try client.delete(path).status == 204)
  }

  @Test("refuse mail without a mail server, unknown zones, invalid quiet hours, repeated events and no topic")
  func refusals() throws {
    let mail = #"{"kind":"email","target":"ada@example.org","events":["order"]}"#
    #expect(try client.post("/api/channels", mail).pointers == ["/kind"])
    for zone in ["Europe/Atlantis", "EST/5", "GMT+3", "posix/Europe/Paris"] {
      let hours = #","quietHours":{"from":"22:00","to":"06:00","timeZone":"\#(zone)"}"#
      #expect(try make(hours).pointers == ["/quietHours/timeZone"], "\(zone)")
    }
    #expect(try make(#","quietHours":{"from":"22:00","to":"22:00"}"#).pointers == ["/quietHours"])
    for hours in [#""from":"24:00","to":"+2:00""#, #""from":"-0:30","to":"06:-0""#] {
      #expect(try make(#","quietHours":{\#(hours)}"#).pointers.count == 2)
    }
    let twice = #"{"kind":"ntfy","target":"https://203.0.113.7/topic","events":["order","order"]}"#
    #expect(try client.post("/api/channels", twice).pointers == ["/events"])
    let topicless = #"{"kind":"ntfy","target":"https://203.0.113.7/","events":["order"]}"#
    #expect(try client.post("/api/channels", topicless).pointers == ["/target"])
  }

  @Test("keep what a change of their quiet hours does not name")
  func quietHours() throws {
    let path = try #require(
      try make(#","quietHours":{"from":"22:00","to":"07:00","timeZone":"europe/paris"}"#).header("location"))
    func hours(_ change: String) throws -> String? {
      let changed = try client.patch(path, #"{"quietHours":\#(change)}"#)
      #expect(changed.status == 200, "\(changed.text)")
      return try changed.json["quietHours"].map { String(decoding: JSONWriter.bytes(of: $0), as: UTF8.self) }
    }
    #expect(
      try hours(#"{"from":"21:00","to":"06:00"}"#) == #"{"from":"21:00","to":"06:00","timeZone":"Europe/Paris"}"#)
    #expect(try hours(#"{"from":"20:00"}"#) == #"{"from":"20:00","to":"06:00","timeZone":"Europe/Paris"}"#)
    #expect(try hours(#"{"timeZone":"Asia/Tokyo"}"#) == #"{"from":"20:00","to":"06:00","timeZone":"Asia/Tokyo"}"#)
    #expect(try hours(#"{"timeZone":null}"#) == #"{"from":"20:00","to":"06:00","timeZone":"UTC"}"#)
    #expect(try client.patch(path, #"{"quietHours":{"to":"20:00"}}"#).pointers == ["/quietHours"])
    #expect(try client.patch(path, #"{"quietHours":{"timeZone":"EST/5"}}"#).pointers == ["/quietHours/timeZone"])
    #expect(try hours("null") == "null")
    #expect(try client.patch(path, #"{"quietHours":{"from":"20:00"}}"#).pointers == ["/quietHours/to"])
    #expect(try client.patch(path, #"{"quietHours":{"to":"20:00"}}"#).pointers == ["/quietHours/from"])
    #expect(
      try hours(#"{"from":"20:00","to":"06:00"}"#) == #"{"from":"20:00","to":"06:00","timeZone":"UTC"}"#)
  }

  @Test("are limited to ten for each user, and made once for an Idempotency-Key")
  func bound() throws {
    let body = #"{"kind":"webhook","target":"https://203.0.113.7/hook","events":["insight"]}"#
    let replies = try (0..<2).map { _ in try client.post("/api/channels", body, headers: ["Idempotency-Key: a"]) }
    #expect(replies[0].body == replies[1].body)
    for _ in 1..<Channel.maximumOfUser { #expect(try make().status == 201) }
    #expect(try make().status == 409)
  }

  @Test("are on the public internet, except in networks that the operator allows")
  func networks() throws {
    let open = AdmittedNetworks(allowed: [AddressBlock("192.168.7.0/24")!])
    for text in ["192.168.7.9", "203.0.113.7", "2a00:1450::1"] { #expect(open.admits(PeerAddress(text)!)) }
    for text in ["192.168.8.9", "172.31.255.255", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "2002:a00:1::"] {
      #expect(!open.admits(PeerAddress(text)!))
    }
  }

  @Test("sign by the Standard Webhooks specification")
  func signature() throws {
    // The example of the specification's reference libraries.
    let secret = WebhookSecret(
      key: try #require(Base64.standard.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
    let body = Array(#"{"test": 2432232314}"#.utf8)
    #expect(
      secret.signature(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", unixSeconds: 1_614_265_330, body: body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }
}
