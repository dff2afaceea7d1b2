/// Writes header fields directly into a connection's output while an answer's head is being written; must not be kept.
package struct FieldWriter {
  private let output: UnsafeMutablePointer<OutputBuffer>

  init(_ connection: Connection) { output = connection.outputStorage }

  /// Appends a field; a control character in the value becomes a space.
  package func append(_ name: StaticString, _ value: String) {
    var value = value
    value.withUTF8 { append(name, bytes: UnsafeRawBufferPointer($0)) }
  }

  /// Appends a field whose value is bytes; a control character in it becomes a space.
  package func append(_ name: StaticString, bytes: UnsafeRawBufferPointer) {
    output.pointee.append(name)
    output.pointee.append(": ")
    output.pointee.append(fieldValue: bytes)
    output.pointee.append("\r\n")
  }

  /// Appends a field whose value is a number that is not negative.
  package func append(_ name: StaticString, decimal: Int) {
    output.pointee.append(name)
    output.pointee.append(": ")
    output.pointee.append(decimal: decimal)
    output.pointee.append("\r\n")
  }

  /// Appends `lead`, a part of a line, and a number that is not negative.
  package func append(lead: UnsafeRawBufferPointer, decimal: Int) {
    output.pointee.append(lead)
    output.pointee.append(decimal: decimal)
  }

  /// Appends `lead`, a part of a line, and a number that is not negative.
  package func append(lead: StaticString, decimal: Int) {
    output.pointee.append(lead)
    output.pointee.append(decimal: decimal)
  }

  /// Appends whole field lines, each with its CRLF.
  package func append(lines: StaticString) { output.pointee.append(lines) }

  /// Appends whole field lines, each with its CRLF, unchecked: what they hold from a client must have been checked
  /// before.
  package func append(lines: UnsafeRawBufferPointer) { output.pointee.append(lines) }
}
