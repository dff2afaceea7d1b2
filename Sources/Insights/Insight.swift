import Agronomy
import JSON
import Notifications
import Postgres
import Values
import Web

/// An insight as it is stored and shown.
struct Insight: PageItem, RowDecodable {
  /// The columns that `init` reads, in their order.
  static let columns = "id, garden_id, type, provider, severity, title, text, evidence, created_at"

  let id: Identifier
  let garden: Identifier
  /// As text, like the provider: what only a later release knows is shown all the same.
  let type: String
  let provider: String
  let severity: Severity
  let title: String
  let text: String
  /// A JSON object.
  let evidence: [UInt8]
  let createdAt: Timestamp

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    garden = try columns.next()
    type = try columns.next()
    provider = try columns.next()
    severity = try columns.next()
    title = try columns.next()
    text = try columns.next()
    evidence = try columns.next(PostgresJSON.self).bytes
    createdAt = try columns.next()
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("gardenId", garden)
    json.member("type", type)
    json.member("provider", provider)
    json.member("severity", severity.rawValue)
    json.member("title", title)
    json.member("text", text)
    json.key("evidence")
    json.raw(evidence)
    json.member("createdAt", createdAt)
  }

  /// The news of it. The garden is named, since its readers may have several, and a frost's night is dated, since
  /// "tonight" may be read in the morning.
  func news(of garden: ObservedGarden) -> News {
    let night =
      type == InsightType.frost.rawValue
      ? WarnedNight(at: createdAt, longitude: garden.longitude, clock: garden.clock) : nil
    let dated = night.map { title.replacing("tonight", with: "in the night to \($0.day)") } ?? title
    return News(
      .insight, type: "insight.created", severity: severity, title: "\(garden.name): \(dated)", text: text, data: body,
      expiresAt: night?.end)
  }

  static let schema = Schema.named(
    "Insight",
    .object([
      .required("id", .identifier), .required("gardenId", .identifier),
      .required("type", .cases(of: InsightType.self)),
      .required("provider", .cases(of: InsightProvider.self), "What worded it: the rules or a language model."),
      .required("severity", .cases(of: Severity.self)), .required("title", .string()),
      .required("text", .string()), .required("evidence", .map(.any), "The numbers that it rests on."),
      .required("createdAt", .timestamp),
    ]),
    example: #"""
      {"id":"019aa5c0-0000-7000-8000-000000000006","gardenId":"019aa5c0-0000-7000-8000-000000000007","type":"watering",\#
      "provider":"rules","severity":"warning","title":"Water the north bed",\#
      "text":"Soil moisture fell to 18 % and no rain is measured.","evidence":{"soilMoisture":18.2},\#
      "createdAt":"2026-11-21T09:30:00.000Z"}
      """#)
}
