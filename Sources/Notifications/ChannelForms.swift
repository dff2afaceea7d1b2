import JSON
import Values

/// A channel that is to be made.
struct ChannelInput: JSONForm {
  let kind: ChannelKind
  let target: String
  let events: [NewsEvent]
  let minimumSeverity: Severity
  let quietHours: QuietHours?
  let digest: DigestPeriod?

  init(_ fields: inout Fields) {
    kind = fields.required("kind", .oneOf(ChannelKind.self))
    target = fields.required(
      "target", .channelTarget, "A webhook's or an ntfy topic's URL, or an email address.")
    events = fields.required("events", .newsEvents)
    minimumSeverity =
      fields.optional(
        "minimumSeverity", .oneOf(Severity.self), "The lowest severity of insights to send; `notice` by default.")
      ?? .notice
    quietHours = fields.optional("quietHours", .quietHours, "News of these hours is sent at their end.")
    digest = fields.optional(
      "digest", .oneOf(DigestPeriod.self),
      "The period for which news is gathered into one message; a warning sends it at once.")
    if let fault = ChannelTarget.fault(target, kind) { fields.fault("target", fault) }
  }
}

/// A change of a channel.
struct ChannelChange: JSONForm {
  let target: String?
  let events: [NewsEvent]?
  let minimumSeverity: Severity?
  let quietHours: Patch<QuietHoursChange>
  let digest: Patch<DigestPeriod>
  let isEnabled: Bool?

  init(_ fields: inout Fields) {
    target = fields.change("target", .channelTarget)
    events = fields.change("events", .newsEvents)
    minimumSeverity = fields.change("minimumSeverity", .oneOf(Severity.self))
    quietHours = fields.patch("quietHours", .quietHoursChange)
    digest = fields.patch("digest", .oneOf(DigestPeriod.self))
    isEnabled = fields.change("enabled", .boolean, "False disables it and drops its waiting news.")
  }
}

extension Rule where Value == String {
  /// A URL or an address; only its length is checked.
  fileprivate static var channelTarget: Rule { .string(3...2_048) }
}

extension Rule where Value == [NewsEvent] {
  /// The events that a channel is told of, each at most once.
  fileprivate static var newsEvents: Rule { .set(1...NewsEvent.allCases.count, of: .oneOf(NewsEvent.self), "event") }
}
