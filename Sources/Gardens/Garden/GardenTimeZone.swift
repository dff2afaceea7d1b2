import JSON
import Postgres
import Web

/// The time zone in which a garden's owner reads times; a device's goes before its garden's.
package enum GardenTimeZone {
  /// Where nobody says.
  package static let assumed = "UTC"
  static let text = "The IANA name of the time zone in which its insights tell times; `UTC` unless given."
  static let deviceText = "The IANA name of the time zone in which insights tell its times; its garden's unless given."

  /// Throws a fault of `timeZone` unless the database knows all these zones. No constraint says so of devices: a zone that
  /// a later Postgres has dropped would keep them from being noted as heard of.
  package static func check(_ zones: [String?], in transaction: Transaction) async throws {
    let asked = Set(zones.compactMap { $0 }).subtracting([assumed])
    guard !asked.isEmpty else { return }
    guard try await transaction.query(areKnown, asked.sorted())[0].decode(Bool.self, 0) else {
      throw ValidationError("/timeZone", expectation)
    }
  }

  /// Whether the database knows a zone; what is no name of one it is not asked for.
  package static func isKnown(_ zone: String, in database: Database) async throws -> Bool {
    guard isName(zone) else { return false }
    return try await database.query(areKnown, [zone])[0].decode(Bool.self, 0)
  }

  /// The zone of a row of a table, NULL where the row has none. One that this Postgres does not know any more is none: it
  /// would fail the statement for all rows.
  package static func column(of table: String) -> String {
    "CASE WHEN is_time_zone(\(table).time_zone) THEN \(table).time_zone END"
  }

  private static let areKnown = Statement(
    "gardens.areTimeZones", "SELECT bool_and(is_time_zone(zone)) FROM unnest($1::text[]) AS asked (zone)")
  package static let expectation = "must be the IANA name of a time zone, such as Europe/Paris"
}

extension Rule where Value == String {
  /// What Postgres also takes, such as `EST` or `CET-1`, is no name of the database of zones.
  static var timeZone: Rule {
    Rule.string(1...GardenTimeZone.longestName).checked(GardenTimeZone.expectation, GardenTimeZone.isName)
  }
}

extension GardenTimeZone {
  /// The longest name, in Unicode scalars.
  static let longestName = 64

  /// Whether a text may be the name of a zone.
  static func isName(_ name: String) -> Bool {
    guard name != assumed else { return true }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return name.utf8.count <= longestName && parts.count > 1 && parts[0].utf8.allSatisfy(isWord)
      && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isPart) }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }
  private static func isPart(_ byte: UInt8) -> Bool {
    isWord(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "+")
      || byte == UInt8(ascii: "-")
  }
}
