/// One message of a client in PostgreSQL's protocol, version 3 (the manual's chapter "Frontend/Backend Protocol").
struct WireMessage {
  /// The letter that begins it.
  let type: Character
  private let body: ArraySlice<UInt8>

  /// The name and the text of the statement of a Parse.
  var parsed: (name: String, text: String) {
    var reader = WireReader(body)
    return (reader.text(), reader.text())
  }

  /// The name of the statement of a Bind, and its parameters, nil for NULL.
  var bound: (statement: String, parameters: [ArraySlice<UInt8>?]) {
    var reader = WireReader(body)
    _ = reader.text()
    let statement = reader.text()
    for _ in 0..<reader.number(Int16.self) { _ = reader.number(Int16.self) }
    let parameters = (0..<reader.number(Int16.self)).map { _ in reader.value() }
    return (statement, parameters)
  }

  /// Removes the first message from `bytes` and returns it; nil if it is not whole yet.
  static func take(_ bytes: inout [UInt8]) -> WireMessage? {
    guard bytes.count >= 5 else { return nil }
    var reader = WireReader(bytes[1...])
    let end = 1 + Int(reader.number(Int32.self))
    guard bytes.count >= end else { return nil }
    defer { bytes.removeFirst(end) }
    return WireMessage(type: Character(Unicode.Scalar(bytes[0])), body: ArraySlice(Array(bytes[5..<end])))
  }

  /// Removes the message that opens a connection, which has no letter; returns false if it is not whole yet.
  static func takeStartup(_ bytes: inout [UInt8]) -> Bool {
    guard bytes.count >= 4 else { return false }
    var reader = WireReader(bytes[...])
    let end = Int(reader.number(Int32.self))
    guard bytes.count >= end else { return false }
    bytes.removeFirst(end)
    return true
  }
}

/// Reads the fields of a message.
struct WireReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type) -> Number {
    defer { rest.removeFirst(MemoryLayout<Number>.size) }
    return Number(bigEndian: rest.withUnsafeBytes { $0.loadUnaligned(as: Number.self) })
  }

  mutating func text() -> String {
    let bytes = rest.prefix { $0 != 0 }
    rest.removeFirst(bytes.count + 1)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A value with its length before it; nil for NULL.
  mutating func value() -> ArraySlice<UInt8>? {
    let length = Int(number(Int32.self))
    if length < 0 { return nil }
    defer { rest.removeFirst(length) }
    return rest.prefix(length)
  }

  /// The elements of an array in its binary form.
  static func elements(_ array: ArraySlice<UInt8>?) -> [ArraySlice<UInt8>] {
    guard let array else { return [] }
    var reader = WireReader(array)
    let dimensions = reader.number(Int32.self)
    _ = reader.number(Int64.self)
    guard dimensions == 1 else { return [] }
    let count = reader.number(Int32.self)
    _ = reader.number(Int32.self)
    return (0..<count).compactMap { _ in reader.value() }
  }
}

/// Writes the messages of a server.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func message(_ type: Character, _ body: [UInt8] = []) {
    bytes.append(type.asciiValue!)
    bytes += Self.number(Int32(body.count + 4)) + body
  }

  /// Writes an error with its severity, SQLSTATE and message.
  mutating func error(severity: String, _ sqlState: String) {
    let fields = [("S", severity), ("V", severity), ("C", sqlState), ("M", "as the simulation wills")]
    message("E", fields.flatMap { Array($0.utf8) + Array($1.utf8) + [0] } + [0])
  }

  /// Writes the description of the rows that follow, with all columns in binary form.
  mutating func columns(_ types: [UInt32]) {
    var body = Self.number(Int16(types.count))
    for type in types {
      body += [UInt8(ascii: "c"), 0] + Self.number(Int32(0)) + Self.number(Int16(0)) + Self.number(type)
      body += Self.number(Int16(8)) + Self.number(Int32(-1)) + Self.number(Int16(1))
    }
    message("T", body)
  }

  /// Writes one row of eight-byte columns, nil for NULL.
  mutating func row(_ columns: [UInt64?]) {
    var body = Self.number(Int16(columns.count))
    for column in columns {
      body += Self.number(Int32(column == nil ? -1 : 8))
      if let column { body += Self.number(column) }
    }
    message("D", body)
  }

  static func number<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}
