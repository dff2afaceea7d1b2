import CPostgres

/// One column of one row: its type and its bytes as the server sent them. Valid for as long as the rows live; it has no
/// reference to them, which would be counted for every column of every row.
package struct Cell {
  let result: OpaquePointer
  let row: Int32
  let column: Int32

  /// The type of the column.
  package var type: PostgresType { PostgresType(rawValue: PQftype(result, column)) }

  package var isNull: Bool { PQgetisnull(result, row, column) != 0 }

  /// The bytes, or nil for NULL.
  package var bytes: UnsafeRawBufferPointer? {
    let length = Int(PQgetlength(result, row, column))
    if length == 0, isNull { return nil }
    return UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: length)
  }

  /// The error for a column that does not hold what was expected.
  package func mismatch(_ expected: String) -> PostgresError {
    let name = PQfname(result, column).map { String(cString: $0) } ?? "?"
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
