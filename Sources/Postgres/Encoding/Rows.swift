import CPostgres

/// The rows that a statement returned, kept in libpq's memory and decoded when asked.
package struct Rows: RandomAccessCollection {
  private let storage: Storage
  package let count: Int

  /// A result of libpq, freed with the last reference.
  final class Storage {
    let result: OpaquePointer
    let columnCount: Int

    init(_ result: OpaquePointer) {
      self.result = result
      columnCount = Int(PQnfields(result))
    }

    deinit { PQclear(result) }
  }

  /// Takes over a result of libpq.
  init(_ result: OpaquePointer) {
    storage = Storage(result)
    count = Int(PQntuples(result))
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int { count }

  package subscript(position: Int) -> Row {
    precondition(position >= 0 && position < count, "no such row")
    return Row(storage: storage, position: Int32(position))
  }

  /// The number of rows that an INSERT, UPDATE, DELETE or MERGE changed, or that a SELECT returned.
  package var affectedCount: Int {
    var count = 0
    var digit = PQcmdTuples(storage.result)!
    while digit.pointee != 0 {
      count = count * 10 + Int(digit.pointee) - 48
      digit += 1
    }
    return count
  }

  /// What the server calls the command, for example `COMMIT`.
  var commandTag: String { String(cString: PQcmdStatus(storage.result)) }
}

/// One row of `Rows`.
package struct Row {
  let storage: Rows.Storage
  let position: Int32

  /// The number of columns.
  package var count: Int { storage.columnCount }

  /// The bytes and type of the column at `column`, from 0.
  package subscript(column: Int) -> Cell {
    precondition(column >= 0 && column < storage.columnCount, "no such column")
    return Cell(result: storage.result, row: position, column: Int32(truncatingIfNeeded: column))
  }

  /// Returns the value of a column, from 0; throws `.misuse`, naming the column, when its type is another one.
  package func decode<Value: PostgresDecodable>(
    _ type: Value.Type = Value.self, _ column: Int
  ) throws(PostgresError) -> Value {
    try Value.decode(self[column])
  }

  /// Returns the values of the first columns, in order; throws `.misuse`, naming the column whose type is another one.
  package func decode<each Value: PostgresDecodable>(
    _ types: (repeat (each Value).Type)
  ) throws(PostgresError) -> (repeat each Value) {
    var column = -1
    func next<Each: PostgresDecodable>(_ type: Each.Type) throws(PostgresError) -> Each {
      column += 1
      return try Each.decode(self[column])
    }
    return (repeat try next((each types)))
  }
}
