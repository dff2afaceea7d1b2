import CPostgres

/// One column of one row: its type and its bytes as the server sent them.
package struct Cell {
  let storage: Rows.Storage
  let row: Int32
  let column: Int32

  /// The type of the column.
  package var type: PostgresType { PostgresType(rawValue: PQftype(storage.result, column)) }

  package var isNull: Bool { PQgetisnull(storage.result, row, column) != 0 }

  /// The bytes, or nil for NULL. Valid for as long as the rows live.
  package var bytes: UnsafeRawBufferPointer? {
    precondition(column >= 0 && column < PQnfields(storage.result), "no such column")
    if isNull { return nil }
    let length = Int(PQgetlength(storage.result, row, column))
    return UnsafeRawBufferPointer(start: PQgetvalue(storage.result, row, column), count: length)
  }

  /// The error that says that this column does not hold what was asked for.
  package func mismatch(_ expected: String) -> PostgresError {
    let name = PQfname(storage.result, column).map { String(cString: $0) } ?? "?"
    let held = isNull ? "NULL" : "type \(type.rawValue)"
    return PostgresError(.misuse, "column \(name) holds \(held), not \(expected)")
  }

  /// The bytes of a column that must not be NULL.
  func present(_ expected: String) throws(PostgresError) -> UnsafeRawBufferPointer {
    guard let bytes else { throw mismatch(expected) }
    return bytes
  }

  /// A number of fixed width, most significant byte first.
  func number<Number: FixedWidthInteger>(
    _ type: Number.Type, _ bytes: UnsafeRawBufferPointer, _ expected: String
  ) throws(PostgresError) -> Number {
    guard bytes.count == MemoryLayout<Number>.size else { throw mismatch(expected) }
    return Number(bigEndian: bytes.loadUnaligned(as: Number.self))
  }
}
