/// Writes header fields right into a connection's output, while an answer's head is being written.
package struct FieldWriter {
  let connection: Connection

  /// Appends a field; a control character in the value becomes a space.
  package func append(_ name: StaticString, _ value: String) {
    var value = value
    value.withUTF8 { append(name, bytes: UnsafeRawBufferPointer($0)) }
  }

  /// Appends a field whose value is bytes; a control character in it becomes a space.
  package func append(_ name: StaticString, bytes: UnsafeRawBufferPointer) {
    connection.output.append(name)
    connection.output.append(": ")
    connection.output.append(fieldValue: bytes)
    connection.output.append("\r\n")
  }

  /// Appends a field whose value is a number that is not negative.
  package func append(_ name: StaticString, decimal: Int) {
    connection.output.append(name)
    connection.output.append(": ")
    connection.output.append(decimal: decimal)
    connection.output.append("\r\n")
  }

  /// Appends whole field lines, each with its CRLF.
  package func append(lines: StaticString) { connection.output.append(lines) }
}
