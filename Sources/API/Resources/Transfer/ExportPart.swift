import JSON
import Postgres

/// One kind of line of an export: where its rows come from, and how each is written.
struct ExportPart {
  let kind: String
  /// The most rows that are in memory at a time: few, since some have texts of ten thousand characters.
  var chunkRows = 100
  let sql: SQL
  let write: (Row, inout JSONWriter) throws -> Void
}
