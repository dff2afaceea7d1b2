/// Header fields of an answer as they go on the wire. `Date`, `Connection`, `Content-Length` and `Transfer-Encoding`
/// are the server's to write and do not belong here.
package struct HeaderList: Sendable {
  /// Room for the fields of most answers, in bytes.
  private static let usualBytes = 192

  /// Whole field lines.
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// Appends a field; a control character in the value becomes a space, so that no value can end its line.
  package mutating func append(_ name: StaticString, _ value: String) {
    var value = value
    value.withUTF8 { append(name, $0) }
  }

  /// Appends whole field lines, each with its CRLF.
  package mutating func append(lines: StaticString) {
    reserve(lines.utf8CodeUnitCount)
    bytes.append(contentsOf: UnsafeBufferPointer(start: lines.utf8Start, count: lines.utf8CodeUnitCount))
  }

  /// Appends a field whose value is bytes; see `append(_:_: String)`.
  package mutating func append(_ name: StaticString, bytes value: [UInt8]) {
    value.withUnsafeBufferPointer { append(name, $0) }
  }

  /// Appends a field whose value is bytes; see `append(_:_: String)`.
  package mutating func append(_ name: StaticString, bytes value: UnsafeRawBufferPointer) {
    append(name, value.bindMemory(to: UInt8.self))
  }

  /// Appends all fields of another list.
  package mutating func append(_ other: HeaderList) { bytes += other.bytes }

  private mutating func append(_ name: StaticString, _ value: UnsafeBufferPointer<UInt8>) {
    let length = name.utf8CodeUnitCount + value.count + 4
    reserve(length)
    bytes.append(upTo: length) { line in
      line.append(name)
      line.append(": ")
      for byte in value { line.append(ASCII.isControl(byte) ? ASCII.space : byte) }
      line.append("\r\n")
    }
  }

  /// Makes room at once for the fields of most answers, so that the list need not grow again.
  private mutating func reserve(_ count: Int) {
    let needed = bytes.count + count
    if needed > bytes.capacity { bytes.reserveCapacity(max(needed, 2 * bytes.capacity, Self.usualBytes)) }
  }
}

extension HeaderList: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (StaticString, String)...) {
    for (name, value) in elements { append(name, value) }
  }
}
