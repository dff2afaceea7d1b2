import JSON
import Postgres
import Values
import Web

/// News of channels themselves, which is sent before all else, and in quiet hours too.
extension Outbox {
  /// Puts a test message into a channel, and returns it as a delivery.
  func putTest(into channel: Channel, in transaction: Transaction) async throws -> Delivery {
    let news = News(
      of: channel.id, type: "channel.test", severity: .info, title: "A test from Terroir",
      text: "If you can read this, news will reach you here.")
    let rows = try await put(news, into: [Target(channel)], in: transaction)
    return try Delivery(rows[0])
  }

  /// Asks the reader of a channel's address to agree to news.
  func putConfirmation(into channel: Channel, code: String, in transaction: Transaction) async throws {
    let news = News(
      of: channel.id, type: Self.confirmation, severity: .info, title: "May Terroir send news to this address?",
      text: """
        Somebody with an account on Terroir wants to be told here what happens. If that is you, enter this code there:

        \(code)

        If it is not, do nothing: nothing else will be sent.
        """)
    try await put(news, into: [Target(channel)], in: transaction)
  }

  /// The only type of news that is sent to an unconfirmed address.
  static let confirmation = "channel.confirmation"

  /// Tells a user by all other channels that one is switched off.
  func putDisabled(_ channel: Courier.Held, because fault: String, in transaction: Transaction) async throws {
    // The path of a webhook or a topic may be all that keeps others out, and another channel may be read by many.
    let place = ServiceURL(channel.target)?.host ?? channel.target
    let news = News(
      of: channel.id, type: "channel.disabled", severity: .warning, title: "A channel is switched off",
      text: "Nothing arrived at the \(channel.kind.rawValue) channel to \(place): \(fault).")
    let rows = try await transaction.query(Self.others, channel.user, channel.id, Self.bound(of: news.severity))
    try await put(news, into: try rows.map(Target.init), in: transaction)
  }

  private static let others = Statement(
    "outbox.others",
    """
    SELECT \(columns(maximum: "$3")) FROM channels
    WHERE user_id = $1 AND id <> $2 AND disabled_at IS NULL ORDER BY id FOR KEY SHARE
    """)
}

extension News {
  /// News of a channel itself.
  fileprivate init(of channel: Identifier, type: String, severity: Severity, title: String, text: String) {
    var json = JSONWriter()
    json.object { $0.member("id", channel) }
    self.init(of: nil, type: type, severity: severity, title: title, text: text, data: json.take())
  }
}
