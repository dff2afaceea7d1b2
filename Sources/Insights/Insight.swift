import JSON
import Postgres
import Values
import Web

/// An insight as it is stored and shown.
struct Insight: PageItem {
  /// What `init(_: Row)` reads, in its order.
  static let columns = "id, garden_id, type, provider, severity, title, text, evidence, created_at"

  let id: Identifier
  let garden: Identifier
  let type: String
  let provider: String
  let severity: String
  let title: String
  let text: String
  /// A JSON object.
  let evidence: [UInt8]
  let createdAt: Timestamp

  init(_ row: Row) throws {
    id = try row.decode(Identifier.self, 0)
    garden = try row.decode(Identifier.self, 1)
    type = try row.decode(String.self, 2)
    provider = try row.decode(String.self, 3)
    severity = try row.decode(String.self, 4)
    title = try row.decode(String.self, 5)
    text = try row.decode(String.self, 6)
    evidence = try row.decode(Postgres.PostgresJSON.self, 7).bytes
    createdAt = try row.decode(Timestamp.self, 8)
  }

  var body: [UInt8] {
    var json = JSONWriter()
    json.object(write)
    return json.take()
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("gardenId", garden)
    json.member("type", type)
    json.member("provider", provider)
    json.member("severity", severity)
    json.member("title", title)
    json.member("text", text)
    json.key("evidence")
    json.raw(evidence)
    json.member("createdAt", createdAt)
  }

  static let schema = Schema.named(
    "Insight",
    .object([
      .required("id", .identifier), .required("gardenId", .identifier),
      .required("type", .cases(of: InsightType.self)),
      .required("provider", .cases(of: InsightProvider.self), "Who worded it."),
      .required("severity", .cases(of: Severity.self)), .required("title", .string()),
      .required("text", .string()), .required("evidence", .map(.any), "The numbers that it rests on."),
      .required("createdAt", .timestamp),
    ]))
}
