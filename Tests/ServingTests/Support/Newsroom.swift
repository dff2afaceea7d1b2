import JSON
import Testing

/// A server that delivers news by mail and to receivers on the loopback address, which its settings allow.
struct Newsroom {
  let mail: MailServer
  let server: LiveServer
  /// Receives the news for webhooks and topics; each test has its own.
  let receiver: ModelServer

  /// The settings with which a server delivers news on this machine.
  static func settings(_ mail: MailServer) -> [String: String] {
    mail.settings.merging(["NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8"]) { $1 }
  }

  /// Starts both servers.
  static func open() throws -> Newsroom {
    let mail = try MailServer()
    let server = try LiveServer(settings(mail).merging(["INSIGHTS_INTERVAL_SECONDS": "1"]) { $1 })
    return try Newsroom(mail: mail, server: server, receiver: ModelServer())
  }

  /// The same servers with a new receiver that accepts everything.
  func fresh() throws -> Newsroom {
    let receiver = try ModelServer()
    receiver.script(Array(repeating: .json(200, "{}"), count: 100))
    return Newsroom(mail: mail, server: server, receiver: receiver)
  }

  /// The receiver's URL for the path `name`.
  func url(_ name: String) -> String { "http://127.0.0.1:\(receiver.port)/\(name)" }

  /// Makes a channel to the receiver, or to `target`; an address is confirmed.
  func channel(
    _ client: Client, _ kind: String = "webhook", to target: String? = nil,
    events: String = #"["insight","device","order"]"#,
    _ more: String = ""
  ) throws -> JSONValue {
    let target = target ?? url(kind)
    let reply = try client.post(
      "/api/channels", #"{"kind":"\#(kind)","target":"\#(target)","events":\#(events)\#(more)}"#)
    #expect(reply.status == 201, "\(reply.text)")
    if kind == "email" { try agree(to: try reply.json, client) }
    return try reply.json
  }

  /// Confirms a channel's address by the code that was mailed there.
  private func agree(to channel: JSONValue, _ client: Client) throws {
    let code = try mail.code(sentTo: try #require(channel["target"]?.text))
    #expect(try client.post("\(path(channel))/confirmation", #"{"code":"\#(code)"}"#).status == 200)
  }

  func path(_ channel: JSONValue) throws -> String { "/api/channels/\(try #require(channel["id"]?.text))" }

  func received(_ kind: String = "webhook") -> [ModelServer.Received] {
    receiver.received.filter { $0.line.hasPrefix("POST /\(kind) ") }
  }

  /// The listed deliveries of a channel, the newest first: type and status.
  func deliveries(_ client: Client, _ channel: JSONValue) throws -> [(String, String)] {
    try (client.get("\(path(channel))/deliveries").json["items"]?.elements ?? []).map {
      ($0["type"]?.text ?? "", $0["status"]?.text ?? "")
    }
  }
}
