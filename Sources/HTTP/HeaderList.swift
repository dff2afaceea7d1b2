/// Header fields of an answer as they go on the wire. `Date`, `Connection`, `Content-Length` and `Transfer-Encoding`
/// are the server's to write and do not belong here.
package struct HeaderList: Sendable {
  /// Whole field lines.
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// Appends a field; a control character in the value becomes a space, so that no value can end its line.
  package mutating func append(_ name: StaticString, _ value: String) {
    begin(name, valueLength: value.utf8.count)
    for byte in value.utf8 { bytes.append(ASCII.isControl(byte) ? ASCII.space : byte) }
    end()
  }

  /// Appends a field whose value is bytes; see `append(_:_: String)`.
  package mutating func append(_ name: StaticString, bytes value: [UInt8]) {
    begin(name, valueLength: value.count)
    for byte in value { bytes.append(ASCII.isControl(byte) ? ASCII.space : byte) }
    end()
  }

  /// Appends all fields of another list.
  package mutating func append(_ other: HeaderList) { bytes += other.bytes }

  private mutating func begin(_ name: StaticString, valueLength: Int) {
    bytes.reserveCapacity(bytes.count + name.utf8CodeUnitCount + valueLength + 4)
    bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    bytes.append(ASCII.colon)
    bytes.append(ASCII.space)
  }

  private mutating func end() {
    bytes.append(ASCII.carriageReturn)
    bytes.append(ASCII.lineFeed)
  }
}

extension HeaderList: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (StaticString, String)...) {
    for (name, value) in elements { append(name, value) }
  }
}
