import JSON
import Postgres
import Values

/// The names that the IANA's database has for time zones.
package enum TimeZoneName {
  /// The zone where none is given.
  package static let assumed = "UTC"
  package static let expectation = "must be the IANA name of a time zone, such as Europe/Paris"
  /// The longest name, in bytes.
  fileprivate static let maximumLength = 64
  fileprivate static let pattern = "^(UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+){1,2})$"

  /// Whether a text has the form of a name: `UTC`, or an area and a place.
  ///
  /// Postgres takes any text with a number for a POSIX zone, in which `GMT+3` and `Any/thing+3` are three hours west of
  /// Greenwich. Of the names with a slash, only `Etc/GMT+3` and its like have a number.
  package static func isName(_ text: String) -> Bool {
    guard text != assumed else { return true }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard text.utf8.count <= maximumLength, (2...3).contains(parts.count), parts[0].utf8.allSatisfy(isWord),
      parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isPart) }), !copies.contains(parts[0].lowercased())
    else { return false }
    if !text.utf8.contains(where: \.isASCIIDigit) { return true }
    let place = parts[1].lowercased()
    return parts.count == 2 && parts[0].lowercased() == "etc" && place.hasPrefix("gmt")
      && offsets.contains(String(place.dropFirst(3)))
  }

  /// What stands behind `Etc/GMT`.
  private static let offsets = Set(["0"] + (0...12).map { "+\($0)" } + (0...14).map { "-\($0)" })
  /// Folders in which many systems have all zones once more, by names that are known nowhere else.
  private static let copies: Set<String> = ["posix", "right"]

  private static func isWord(_ byte: UInt8) -> Bool { byte.isASCIILetter || byte == UInt8(ascii: "_") }
  private static func isPart(_ byte: UInt8) -> Bool {
    isWord(byte) || byte.isASCIIDigit || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
  }

  // MARK: What the database knows

  /// Returns a zone as it is stored: by the name that the database has, letter by letter. Throws a fault at `pointer`
  /// when the database does not know it.
  package static func settled(
    _ zone: String?, at pointer: String = "/timeZone", in transaction: Transaction
  ) async throws -> String? {
    guard let zone, zone != assumed else { return zone }
    guard let name = try await transaction.query(known, zone)[0].decode(String?.self, 0) else {
      throw ValidationError(pointer, expectation)
    }
    return name
  }

  /// Returns a zone by the name that the database has, outside a transaction; nil when it does not know it. The
  /// database is not asked for a text that is no name.
  package static func settled(_ zone: String, in database: Database) async throws -> String? {
    guard isName(zone) else { return nil }
    return try await database.query(known, zone)[0].decode(String?.self, 0)
  }

  private static let known = Statement("timeZones.name", "SELECT time_zone_name($1)")
}

extension Rule where Value == String {
  /// A text that has the form of a time zone's name; only the database can tell whether there is such a zone.
  package static var timeZone: Rule {
    let length = 1...TimeZoneName.maximumLength
    return Rule.string(length).checked(
      TimeZoneName.expectation,
      schema: .string(minLength: length.lowerBound, maxLength: length.upperBound, pattern: TimeZoneName.pattern),
      TimeZoneName.isName)
  }
}
