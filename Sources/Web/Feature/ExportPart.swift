import JSON
import Postgres

/// One kind of line of an export: where its rows come from, and how each is written.
package struct ExportPart {
  package let kind: LineKind
  /// The most rows that are in memory at a time: few, since some have texts of ten thousand characters.
  package let chunkRows: Int
  package let sql: SQL
  package let write: (Row, inout JSONWriter) throws -> Void

  package init(
    kind: LineKind, chunkRows: Int = 100, sql: SQL, write: @escaping (Row, inout JSONWriter) throws -> Void
  ) {
    self.kind = kind
    self.chunkRows = chunkRows
    self.sql = sql
    self.write = write
  }
}
