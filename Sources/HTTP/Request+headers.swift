/// The header fields of a request, by name in either case. They are looked for in the head's bytes: there is no
/// dictionary.
extension Request {
  /// Returns the value of the first field of this name, without the white space around it.
  ///
  /// Bytes that are not UTF-8 become U+FFFD.
  package func header(_ name: StaticString) -> String? {
    firstField(name).map { text($0.value) }
  }

  /// Returns the values of all fields of this name, in their order.
  package func headers(_ name: StaticString) -> [String] {
    guard mayHave(name) else { return [] }
    var values: [String] = []
    for index in 0..<head.fieldCount where hasName(index, name) { values.append(text(field(index).value)) }
    return values
  }

  /// Returns a list that may be spread over several fields as the value of one (RFC 9110, section 5.3); nil without a
  /// field.
  package func headerList(_ name: StaticString) -> String? {
    let lines = headers(name)
    return lines.isEmpty ? nil : lines.joined(separator: ",")
  }

  /// Returns the number of fields of this name.
  package func headerCount(_ name: StaticString) -> Int {
    guard mayHave(name) else { return 0 }
    var count = 0
    for index in 0..<head.fieldCount where hasName(index, name) { count += 1 }
    return count
  }

  /// Calls `body` with the bytes of the first field of this name; nil if there is none.
  package func withHeader<Result>(_ name: StaticString, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
    guard let field = firstField(name) else { return nil }
    return body(bytes(field.value))
  }

  @inline(__always)
  private func firstField(_ name: StaticString) -> FieldSlice? {
    guard mayHave(name) else { return nil }
    for index in 0..<head.fieldCount where hasName(index, name) { return field(index) }
    return nil
  }

  /// Whether some field's name is as long as `name`, modulo 64; if not, there is no field of this name.
  @inline(__always)
  private func mayHave(_ name: StaticString) -> Bool {
    head.nameLengths & 1 &<< UInt64(name.utf8CodeUnitCount) != 0
  }

  @inline(__always)
  private func hasName(_ index: Int, _ name: StaticString) -> Bool {
    let slice = field(index).name
    guard Int(slice.length) == name.utf8CodeUnitCount else { return false }
    return bytes(slice).bytes.matchesIgnoringCase(name, at: 0)
  }
}
