import JSON
import Outbound
import Secrets
import Values

/// What is sent in one piece: one news item, or a digest of several.
struct Message {
  /// The longest text for ntfy, in bytes: ntfy turns a longer one into a file.
  static let maximumTextBytes = 4_000
  /// How much of the digest of its news' ids is in a message's id, in bytes.
  private static let idDigestBytes = 8

  let news: [WaitingNews]

  /// The id of its news; of several, the newest one's and a digest of all: a digest that has changed between two
  /// attempts is a new message, which a receiver must not take for a repetition. What came in need not be the newest,
  /// since ids are made before the COMMIT.
  var id: String {
    let newest = news[news.count - 1].id.description
    if news.count == 1 { return newest }
    let all = news.map(\.id.description).joined(separator: " ")
    return "\(newest)-\(Digest.sha256(Array(all.utf8)).prefix(Self.idDigestBytes).lowerHex)"
  }

  private var severity: Severity { news.map(\.severity).max() ?? .info }

  private var title: String { news.count == 1 ? news[0].title : "\(news.count) news: \(news[0].title) and more" }

  private var text: String {
    news.count == 1 ? news[0].text : news.map { "\($0.createdAt): \($0.title)\n\($0.text)" }.joined(separator: "\n\n")
  }

  private var body: [UInt8] {
    var json = JSONWriter()
    guard news.count > 1 else {
      news[0].write(&json)
      return json.take()
    }
    json.object { json in
      json.member("type", "digest")
      json.member("timestamp", news[news.count - 1].createdAt)
      json.key("data")
      json.object { json in
        json.key("items")
        json.array { json in for item in news { item.write(&json) } }
      }
    }
    return json.take()
  }

  /// The request to a webhook, signed (Standard Webhooks).
  func webhook(_ target: String, _ secret: WebhookSecret, at now: Timestamp) -> OutboundRequest {
    let (body, seconds) = (body, now.unixMilliseconds / 1_000)
    return OutboundRequest(
      method: "POST", url: target,
      headers: [
        ("Content-Type", "application/json"), ("webhook-id", id), ("webhook-timestamp", "\(seconds)"),
        ("webhook-signature", secret.signature(id: id, unixSeconds: seconds, body: body)),
      ], body: body, timeoutSeconds: Courier.timeoutSeconds)
  }

  /// The request to a topic of ntfy.
  func ntfy(_ target: String) -> OutboundRequest {
    let priority =
      switch severity {
      case .info: "2"
      case .notice: "3"
      case .warning: "4"
      }
    var text = Array(text.utf8.prefix(Self.maximumTextBytes))
    // No character is cut in two.
    while String(validating: text, as: UTF8.self) == nil { text.removeLast() }
    return OutboundRequest(
      method: "POST", url: target,
      headers: [
        ("Content-Type", "text/plain; charset=utf-8"), ("Title", MailText.words(title).joined(separator: " ")),
        ("Priority", priority), ("Tags", news[0].event),
      ], body: text, timeoutSeconds: Courier.timeoutSeconds)
  }

  /// Sends the message as a mail.
  func mail(to recipient: String, by submission: MailSubmission) async throws {
    let foot = "\n\n-- \nYou get this because a channel of an account on Terroir names this address.\n"
    try await submission.send(to: recipient, subject: title, text: text + foot, id: id)
  }
}
