import Values

/// A Swift type that can be read from a column. NULL is read only by an Optional.
package protocol PostgresDecodable {
  /// Decodes the value; throws `.misuse`, naming the column, when it is NULL or of another type.
  static func decode(_ cell: Cell) throws(PostgresError) -> Self
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Wrapped? {
    if cell.isNull { return nil }
    return try Wrapped.decode(cell)
  }
}

extension Bool: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Bool {
    let bytes = try cell.present("bool")
    guard cell.type == .bool, bytes.count == 1 else { throw cell.mismatch("bool") }
    return bytes[0] != 0
  }
}

/// Reads int2, int4 and int8.
extension Int64: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Int64 {
    let bytes = try cell.present("an integer")
    switch cell.type {
    case .int8: return try cell.number(Int64.self, bytes, "int8")
    case .int4: return Int64(try cell.number(Int32.self, bytes, "int4"))
    case .int2: return Int64(try cell.number(Int16.self, bytes, "int2"))
    default: throw cell.mismatch("an integer")
    }
  }
}

/// Reads int2, int4 and int8.
extension Int: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Int { Int(try Int64.decode(cell)) }
}

/// Reads int2 and int4.
extension Int32: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Int32 {
    let bytes = try cell.present("int4")
    switch cell.type {
    case .int4: return try cell.number(Int32.self, bytes, "int4")
    case .int2: return Int32(try cell.number(Int16.self, bytes, "int2"))
    default: throw cell.mismatch("int4")
    }
  }
}

extension Int16: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Int16 {
    let bytes = try cell.present("int2")
    guard cell.type == .int2 else { throw cell.mismatch("int2") }
    return try cell.number(Int16.self, bytes, "int2")
  }
}

/// Reads float4 and float8.
extension Double: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Double {
    let bytes = try cell.present("float8")
    switch cell.type {
    case .float8: return Double(bitPattern: try cell.number(UInt64.self, bytes, "float8"))
    case .float4: return Double(Float(bitPattern: try cell.number(UInt32.self, bytes, "float4")))
    default: throw cell.mismatch("float8")
    }
  }
}

extension Float: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Float {
    let bytes = try cell.present("float4")
    guard cell.type == .float4 else { throw cell.mismatch("float4") }
    return Float(bitPattern: try cell.number(UInt32.self, bytes, "float4"))
  }
}

/// Reads text, varchar, char, name, enums, citext, json and jsonb.
extension String: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> String {
    let bytes = try cell.present("text")
    if cell.type.isTextual { return String(decoding: bytes, as: UTF8.self) }
    guard cell.type == .jsonb, bytes.first == 1 else { throw cell.mismatch("text") }
    return String(decoding: bytes.dropFirst(), as: UTF8.self)
  }
}

extension Identifier: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Identifier {
    let bytes = try cell.present("uuid")
    guard cell.type == .uuid, let identifier = decodeElement(bytes) else { throw cell.mismatch("uuid") }
    return identifier
  }
}

/// Reads timestamptz; microseconds are cut off, infinities are refused.
extension Timestamp: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Timestamp {
    let bytes = try cell.present("timestamptz")
    guard cell.type == .timestamptz else { throw cell.mismatch("timestamptz") }
    let microseconds = try cell.number(Int64.self, bytes, "timestamptz")
    guard let moment = Timestamp(serverMicroseconds: microseconds) else { throw cell.mismatch("a finite timestamptz") }
    return moment
  }

  /// The moment `microseconds` after the server's epoch; nil for its infinities.
  init?(serverMicroseconds microseconds: Int64) {
    if microseconds == .max || microseconds == .min { return nil }
    self.init(unixMilliseconds: microseconds.floorDivided(by: 1_000) + Self.serverEpochMilliseconds)
  }
}

/// Reads date; infinities are refused.
extension CivilDate: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> CivilDate {
    let bytes = try cell.present("date")
    guard cell.type == .date else { throw cell.mismatch("date") }
    let days = try cell.number(Int32.self, bytes, "date")
    if days == .max || days == .min { throw cell.mismatch("a finite date") }
    return CivilDate(daysSinceEpoch: Int64(days) + serverEpochDays)
  }
}

/// Reads json and jsonb.
extension PostgresJSON: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> PostgresJSON {
    let bytes = try cell.present("jsonb")
    switch cell.type {
    case .json: return PostgresJSON(Array(bytes))
    case .jsonb where bytes.first == 1: return PostgresJSON(Array(bytes.dropFirst()))
    default: throw cell.mismatch("jsonb")
    }
  }
}
