/// The parameters of one execution, encoded one after another into one buffer, which is reused.
package struct ParameterBuffer {
  /// The most parameters of a statement: the protocol counts them in 16 bits.
  static let maximumCount = 65_535
  /// The most bytes of all parameters of a statement.
  static let maximumBytes = 64 << 20
  /// The most memory that a buffer keeps when it is reused, in bytes.
  static let retainedBytes = 64 << 10

  /// The encoded values, to which `PostgresEncodable.encode` appends.
  package var bytes: [UInt8] = []
  /// Whether a text holds U+0000, which the server cannot store.
  package var holdsNul = false

  var offsets: [Int] = []
  /// Bytes of each value, -1 for NULL.
  var lengths: [Int32] = []
  /// 1 for binary, 0 for text.
  var formats: [Int32] = []
  var types: [UInt32] = []

  package init() {}

  var count: Int { offsets.count }

  package mutating func append<Value: PostgresEncodable>(_ value: Value) {
    let start = bytes.count
    let isPresent = value.encode(into: &self)
    offsets.append(start)
    lengths.append(isPresent ? Int32(clamping: bytes.count - start) : -1)
    formats.append(Value.isText ? 0 : 1)
    types.append(Value.postgresType.rawValue)
  }

  mutating func append(_ other: ParameterBuffer) {
    let start = bytes.count
    bytes.append(contentsOf: other.bytes)
    offsets.append(contentsOf: other.offsets.lazy.map { $0 + start })
    lengths.append(contentsOf: other.lengths)
    formats.append(contentsOf: other.formats)
    types.append(contentsOf: other.types)
    holdsNul = holdsNul || other.holdsNul
  }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: bytes.capacity <= Self.retainedBytes)
    offsets.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    formats.removeAll(keepingCapacity: true)
    types.removeAll(keepingCapacity: true)
    holdsNul = false
  }

  /// A hash of the parameters' types (FNV-1a over the object ids), never 0 or 1.
  var signature: UInt32 {
    var hash: UInt32 = 2_166_136_261
    for type in types { hash = (hash ^ type) &* 16_777_619 }
    return hash | 2
  }

  /// Why these parameters cannot be sent, or nil if they can.
  var fault: PostgresError? {
    if holdsNul { return PostgresError(.misuse, "a text parameter holds U+0000") }
    if count > Self.maximumCount { return PostgresError(.misuse, "\(count) parameters in one statement") }
    if bytes.count > Self.maximumBytes { return PostgresError(.misuse, "\(bytes.count) bytes of parameters") }
    return nil
  }

  // MARK: Writing

  /// Appends a number, most significant byte first.
  package mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
    withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
  }

  /// Writes a number over bytes that were appended before.
  mutating func overwrite(_ number: Int32, at offset: Int) {
    withUnsafeBytes(of: number.bigEndian) { source in
      for index in 0..<4 { bytes[offset + index] = source[index] }
    }
  }
}
