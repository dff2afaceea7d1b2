import Agronomy
import Values

/// What a sensor measures, by the name that its devices give: `^[a-z][a-z0-9_]{0,47}$`.
///
/// Made by `SensorTypes`, so that the thousandth reading of a type costs no memory of its own.
final class SensorType: Sendable {
  /// The longest name, in bytes.
  static let maximumLength = 48
  /// The names that are allowed, as a regular expression for the reference.
  static let pattern = "^[a-z][a-z0-9_]{0,47}$"

  let name: String
  let utf8: [UInt8]
  /// Nil for a type that the server does not know.
  let known: KnownSensor?
  /// The first eight bytes as a number, which orders as the names do.
  let prefix: UInt64

  fileprivate init(_ bytes: UnsafeRawBufferPointer) {
    utf8 = Array(bytes)
    name = String(decoding: bytes, as: UTF8.self)
    known = KnownSensor(rawValue: name)
    prefix = (0..<8).reduce(0) { $0 << 8 | UInt64($1 < bytes.count ? bytes[$1] : 0) }
  }

  /// Whether its name sorts before another's, by bytes.
  func precedes(_ other: SensorType) -> Bool {
    if prefix != other.prefix { return prefix < other.prefix }
    return self !== other && utf8.lexicographicallyPrecedes(other.utf8)
  }

  /// Whether both have the same name. There may be several of one name.
  func equals(_ other: SensorType) -> Bool { self === other || (prefix == other.prefix && utf8 == other.utf8) }

  /// Whether the bytes are a name that is allowed.
  static func isName(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let first = bytes.first, first.isASCIILowercase, bytes.count <= maximumLength else { return false }
    return bytes.allSatisfy { $0.isASCIILowercase || $0.isASCIIDigit || $0 == UInt8(ascii: "_") }
  }
}

/// The sensor types that one loop has met lately. A name has one place in a table of fixed size; of two names with the
/// same place the later one stays.
final class SensorTypes {
  private static let places = 1_024
  private var table = [SensorType?](repeating: nil, count: places)

  /// Returns the type of a name; nil when the name is not allowed.
  func type(_ name: UnsafeRawBufferPointer) -> SensorType? {
    // FNV-1a; a name that is too long is not hashed.
    guard name.count <= SensorType.maximumLength else { return nil }
    var hash: UInt32 = 2_166_136_261
    for byte in name { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    let place = Int((hash ^ hash >> 16) & UInt32(Self.places - 1))
    if let found = table[place], found.utf8.count == name.count, found.utf8.elementsEqual(name) { return found }
    guard SensorType.isName(name) else { return nil }
    let type = SensorType(name)
    table[place] = type
    return type
  }

  /// Returns the type of a name; nil when the name is not allowed.
  func type(_ name: String) -> SensorType? {
    var name = name
    return name.withUTF8 { type(UnsafeRawBufferPointer($0)) }
  }
}
