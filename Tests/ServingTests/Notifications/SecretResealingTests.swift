import JSON
import Reactor
import Synchronization
import Testing
import Values

@testable import Notifications
@testable import Secrets
@testable import Settings
@testable import Web

@Suite("Webhooks' secrets", .blocking)
struct SecretResealingTests {
  private static let newSecret = "ABCDEF-0123456789-abcdef-9876543210"

  /// Seals secrets again, as a server does an hour after its start, until none is left; returns how many.
  private static func reseal(_ server: LiveServer, _ seal: Seal) throws -> Int {
    try server.withDatabase { database in
      var count = 0
      let resealing = SecretResealing(seal: seal) { count += $0 }
      var hasMore = true
      while hasMore {
        hasMore = try await database.transaction { try await resealing.run($0) }
        resealing.committed()
      }
      return count
    }
  }

  @Test("stay as they were when the server's own secret has changed and the previous one is no longer known")
  func rotation() throws {
    let mail = try MailServer()
    let receiver = try ModelServer()
    receiver.script([.json(200, "{}")])
    let settings = Newsroom.settings(mail)
    let before = try LiveServer(settings)
    let (_, user) = try before.signedIn()
    let signIn = #"{"email":"\#(user)@example.org","password":"\#(LiveServer.password)"}"#
    func client(_ server: LiveServer) throws -> Client {
      Client(server, token: try Client(server).post("/api/sessions", signIn).json["accessToken"]?.text)
    }
    let hook = #"{"kind":"webhook","target":"http://127.0.0.1:\#(receiver.port)/hook","events":["insight"]}"#
    let channel = try client(before).post("/api/channels", hook).json
    let secret = try #require(channel["secret"]?.text)
    before.stop()

    // Resealing does not begin at once: a server that knows only the earlier secret may still deliver.
    let change = ["JWT_SECRET": Self.newSecret, "JWT_SECRET_PREVIOUS": before.configuration.accounts.jwtSecret]
    let during = try before.replica(settings.merging(change) { $1 })
    let runs = try Client(during).get("/metrics").text.split(separator: "\n").filter { $0.contains("channels.reseal") }
    #expect(runs.count == 3 && runs.allSatisfy { $0.hasSuffix(" 0") }, "\(runs)")
    during.stop()
    let seal = Seal(keys: during.configuration.accounts.keys("webhook secret 1"))
    #expect(try Self.reseal(during, seal) == 1)
    #expect(try Self.reseal(during, seal) == 0)

    let after = try before.replica(settings.merging(["JWT_SECRET": Self.newSecret]) { $1 })
    defer { after.stop() }
    let path = "/api/channels/\(try #require(channel["id"]?.text))"
    #expect(try client(after).send("POST", "\(path)/test").status == 202)
    #expect(holds(within: 30) { receiver.received.count == 1 })
    let message = try #require(receiver.received.first)
    let key = try #require(Base64.standard.decode(String(secret.dropFirst(WebhookSecret.prefix.count).dropLast())))
    let signature = WebhookSecret(key: key).signature(
      id: try #require(message.headers["webhook-id"]),
      unixSeconds: try #require(message.headers["webhook-timestamp"].flatMap { Int64($0) }), body: message.body)
    #expect(message.headers["webhook-signature"] == signature)
  }

  @Test("are sealed again batch by batch, once each, from where the last batch was committed")
  func batches() throws {
    let server = try LiveServer(["NOTIFICATIONS": "off"])
    defer { server.stop() }
    let (_, user) = try server.signedIn()
    let keys = ["a", "b", "c"].map { DerivedKey.key("test", from: $0) }
    let (old, both) = (Seal(keys: [keys[0]]), Seal(keys: [keys[1], keys[0]]))
    let count = SecretResealing.batchRows + 20
    let text = Array("whsec".utf8)
    try server.withDatabase { database in
      for index in 0...count {
        // The last one is sealed with a key that is no longer known.
        let secret = (index < count ? old : Seal(keys: [keys[2]])).seal(text)
        try await database.execute(
          """
          INSERT INTO channels (id, user_id, kind, target, secret, events, minimum_severity, created_at, updated_at)
          VALUES (\(Identifier.make(unixMilliseconds: Int64(index))), \(user), 'webhook', '', \(secret), '{}', 'info',
            now(), now())
          """)
      }
      struct Killed: Error {}
      let resealing = SecretResealing(seal: both) { _ in }
      await #expect(throws: Killed.self) {
        try await database.transaction { transaction in
          #expect(try await resealing.run(transaction))
          throw Killed()
        }
      }
      // A batch that was not committed is done again.
      #expect(try await database.transaction { try await resealing.run($0) })
      resealing.committed()
    }
    #expect(try Self.reseal(server, both) == 20)
    let opened = try server.withDatabase { database in
      try await database.query("SELECT secret FROM channels ORDER BY id").map {
        Seal(keys: [keys[1]]).open(try $0.decode([UInt8].self, 0))
      }
    }
    #expect(opened == Array(repeating: text, count: count) + [nil])
  }
}
