import Postgres
import Values

extension Severity: PostgresEnumeration {}

/// What a channel may be told of. The raw value is part of the API and of the schema.
package enum NewsEvent: String, CaseIterable, PostgresEnumeration, Sendable {
  /// An insight that the server made by itself.
  case insight
  /// A device fell silent, or is back.
  case device
  /// An order was placed with the user's business, or the other side moved an order of the user's.
  case order
}

/// Something that has happened and that users may want to hear of.
package struct News {
  /// Nil for news of a channel itself, which is sent whatever events the channel wants.
  let event: NewsEvent?
  /// What happened, for programs: `insight.created`.
  let type: String
  let severity: Severity
  /// One line for people.
  let title: String
  /// Some lines for people.
  let text: String
  /// What it happened to, as the API shows it: a JSON object.
  let data: [UInt8]
  /// When the news is outdated, and not worth sending any more; nil for news that never is.
  let expiresAt: Timestamp?

  /// Makes news of an event, as all news of other features is; only a channel's own news is of none.
  package init(
    _ event: NewsEvent, type: String, severity: Severity, title: String, text: String, data: [UInt8],
    expiresAt: Timestamp? = nil
  ) {
    self.init(of: event, type: type, severity: severity, title: title, text: text, data: data, expiresAt: expiresAt)
  }

  init(
    of event: NewsEvent?, type: String, severity: Severity, title: String, text: String, data: [UInt8],
    expiresAt: Timestamp? = nil
  ) {
    self.event = event
    self.type = type
    self.severity = severity
    self.title = title
    self.text = text
    self.data = data
    self.expiresAt = expiresAt
  }
}

/// The users whose channels are told.
package enum Audience {
  case user(Identifier)
  /// The owner and the members of a garden.
  case garden(Identifier)
  /// The owner of a business.
  case business(Identifier)

  var id: Identifier {
    switch self {
    case .user(let id), .garden(let id), .business(let id): id
    }
  }
}
