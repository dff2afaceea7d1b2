import JSON
import Postgres
import Values
import Web

/// How news travels. The raw value is part of the API and of the schema.
enum ChannelKind: String, CaseIterable, PostgresEnumeration {
  case webhook, ntfy, email
}

/// How long a digest gathers news before it is sent.
enum DigestPeriod: String, CaseIterable, PostgresEnumeration {
  case hourly, daily
}

/// A place where a user is told what happens, as its owner sees it.
struct Channel: PageItem, RowDecodable {
  /// The most channels of one user.
  static let maximumOfUser = 10

  let id: Identifier
  let kind: ChannelKind
  let target: String
  let isConfirmed: Bool
  let events: [NewsEvent]
  let minimumSeverity: Severity
  let quietHours: QuietHours?
  let digest: DigestPeriod?
  let failingSince: Timestamp?
  let disabledAt: Timestamp?
  let disabledBecause: String?
  let createdAt: Timestamp
  let updatedAt: Timestamp

  /// The columns that `init` reads, in their order.
  static let columns = """
    id, kind, target, confirmed, events, minimum_severity, quiet_from, quiet_to, quiet_zone, digest, failing_since,
      disabled_at, disabled_because, created_at, updated_at
    """

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    kind = try columns.next()
    target = try columns.next()
    isConfirmed = try columns.next()
    events = try columns.next([String].self).map(NewsEvent.known)
    minimumSeverity = try columns.next()
    let (from, to, zone) = (
      try columns.next(Int32?.self), try columns.next(Int32?.self), try columns.next(String?.self)
    )
    if let from, let to, let zone {
      quietHours = QuietHours(from: MinuteOfDay(Int(from)), to: MinuteOfDay(Int(to)), timeZone: zone)
    } else {
      quietHours = nil
    }
    digest = try columns.next()
    failingSince = try columns.next()
    disabledAt = try columns.next()
    disabledBecause = try columns.next()
    createdAt = try columns.next()
    updatedAt = try columns.next()
  }

  func write(_ json: inout JSONWriter) { write(&json, kindAs: "kind") }

  /// Writes the channel with `name` for its kind: in an export, `kind` says what the line is about.
  func write(_ json: inout JSONWriter, kindAs name: StaticString) {
    json.member("id", id)
    json.member(name, kind.rawValue)
    json.member("target", target)
    json.member("confirmed", isConfirmed)
    json.member("events", events.map(\.rawValue))
    json.member("minimumSeverity", minimumSeverity.rawValue)
    json.member("quietHours", quietHours)
    json.member("digest", digest?.rawValue)
    json.member("enabled", disabledAt == nil)
    json.member("failingSince", failingSince)
    json.member("disabledAt", disabledAt)
    json.member("disabledBecause", disabledBecause)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
  }

  private static let members: [Schema.Property] = [
    .required("id", .identifier), .required("kind", .cases(of: ChannelKind.self)), .required("target", .string()),
    .required("confirmed", .boolean, "False until the address is confirmed; until then, only the code is sent there."),
    .required("events", .array(.cases(of: NewsEvent.self))),
    .required(
      "minimumSeverity", .cases(of: Severity.self),
      "The lowest severity of insights to send; other news has no such limit."),
    .required("quietHours", .nullable(QuietHours.schema)),
    .required("digest", .nullable(.cases(of: DigestPeriod.self))), .required("enabled", .boolean),
    .required("failingSince", .nullable(.timestamp), "Since when deliveries have failed."),
    .required("disabledAt", .nullable(.timestamp)),
    .required("disabledBecause", .nullable(.string()), "Why the server disabled it."),
    .required("createdAt", .timestamp), .required("updatedAt", .timestamp),
  ]
  static let schema = Schema.named("Channel", .object(members), example: example + "}")
  static let schemaWithSecret = Schema.named(
    "ChannelWithSecret",
    .object(members + [.optional("secret", .string(), "A webhook's signing key, shown once.")]),
    example: example + #","secret":"whsec_…"}"#)
  private static let example = #"""
    {"id":"019aa5c0-0000-7000-8000-000000000010","kind":"webhook","target":"https://hooks.example.org/terroir",\#
    "confirmed":true,"events":["insight","device"],"minimumSeverity":"notice",\#
    "quietHours":{"from":"22:00","to":"06:30","timeZone":"Europe/Paris"},"digest":null,"enabled":true,\#
    "failingSince":null,"disabledAt":null,"disabledBecause":null,\#
    "createdAt":"2026-11-21T09:30:00.000Z","updatedAt":"2026-11-21T09:30:00.000Z"
    """#
}
