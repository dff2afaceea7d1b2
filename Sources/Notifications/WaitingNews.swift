import JSON
import Postgres
import Values

/// News that waits in a channel, with all that is sent of it.
struct WaitingNews: RowDecodable {
  /// The columns that `init` reads, in their order, but for `dueAt`.
  static let columns = "d.id, d.event, d.type, d.severity, d.title, d.text, d.data, d.created_at"

  let id: Identifier
  let event: String
  let type: String
  let severity: Severity
  let title: String
  let text: String
  let data: [UInt8]
  let createdAt: Timestamp
  /// When it could first be sent.
  let dueAt: Timestamp

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    event = try columns.next()
    type = try columns.next()
    severity = try columns.next()
    title = try columns.next()
    text = try columns.next()
    data = try columns.next(PostgresJSON.self).bytes
    createdAt = try columns.next()
    dueAt = try columns.next()
  }

  func write(_ json: inout JSONWriter) {
    json.object { json in
      json.member("type", type)
      json.member("timestamp", createdAt)
      json.key("data")
      json.raw(data)
    }
  }
}
