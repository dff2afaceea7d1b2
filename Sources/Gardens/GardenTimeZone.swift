import JSON
import Postgres
import Web

/// The time zone in which a garden's owner reads times.
package enum GardenTimeZone {
  /// Where nobody says.
  package static let assumed = "UTC"
  static let text = "The IANA name of the time zone in which its insights tell times; `UTC` unless given."

  /// Throws a fault of `timeZone` unless the database knows the zone.
  static func check(_ zone: String?, in transaction: Transaction) async throws {
    guard let zone, zone != assumed else { return }
    guard try await transaction.query(isKnown, zone)[0].decode(Bool.self, 0) else { throw unknown }
  }

  /// Whether there is a zone: `is_time_zone` is also what the column's constraint asks.
  private static let isKnown = Statement("gardens.isTimeZone", "SELECT is_time_zone($1)")
  package static let constraint = "gardens_time_zone_known"
  package static let unknown = ValidationError("/timeZone", expectation)
  fileprivate static let expectation = "must be the IANA name of a time zone, such as Europe/Paris"
}

extension Rule where Value == String {
  /// What Postgres also takes, such as `EST` or `CET-1`, is no name of the database of zones.
  static var timeZone: Rule {
    Rule.string(1...64).checked(GardenTimeZone.expectation) { name in
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      guard name != GardenTimeZone.assumed else { return true }
      return parts.count > 1 && parts[0].utf8.allSatisfy(isWord)
        && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isPart) }
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }
  private static func isPart(_ byte: UInt8) -> Bool {
    isWord(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "+")
      || byte == UInt8(ascii: "-")
  }
}
