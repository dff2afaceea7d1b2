/// The columns of a row, read one after the other, so that adding one renumbers none of the others.
package struct Columns {
  private let row: Row
  private var position = 0

  init(_ row: Row) { self.row = row }

  /// The value of the next column; throws `.misuse` naming the column when its type is another one.
  package mutating func next<Value: PostgresDecodable>(
    _ type: Value.Type = Value.self
  ) throws(PostgresError) -> Value {
    try row.decode(type, advance())
  }

  /// The bytes and type of the next column.
  package mutating func nextCell() -> Cell { row[advance()] }

  private mutating func advance() -> Int {
    defer { position += 1 }
    return position
  }
}

extension Row {
  /// A reader of its columns, from the first on.
  package var columns: Columns { Columns(self) }
}

/// A value that is read from a row's columns, in the order in which its `columns` name them to SQL.
package protocol RowDecodable {
  init(_ columns: inout Columns) throws
}

extension RowDecodable {
  /// Reads the first columns of a row.
  package init(_ row: Row) throws {
    var columns = row.columns
    try self.init(&columns)
  }
}
