import Postgres
import Values
import Web

/// Days as a time zone has them, made from the buckets of hours: an hour belongs to the day in which it begins.
struct ZonedDays {
  /// The form of a name in the IANA's database; Postgres knows which there are.
  static let pattern = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"

  let name: String
  /// The name as Postgres takes it. Behind a colon it looks for nothing but a zone of that name: it takes a bare `CET`
  /// for its own abbreviation, which knows no summer time, and `IST` for Israel's.
  var zone: String { ":\(name)" }

  /// Reads a zone's name; nil for UTC, whose days are stored.
  init?(_ name: String) throws {
    guard TimeZoneName.isName(name) || Self.oldNames.contains(name.lowercased()) else { throw Self.unknown }
    if name == TimeZoneName.assumed { return nil }
    self.name = name
  }

  /// The names without an area, to which the IANA adds no more.
  private static let oldNames = Set(
    """
    cet cst6cdt cuba eet egypt eire est est5edt gb gb-eire gmt gmt+0 gmt-0 gmt0 greenwich hongkong hst iceland iran israel \
    jamaica japan kwajalein libya met mst mst7mdt navajo nz nz-chat poland portugal prc pst8pdt roc rok singapore turkey \
    uct universal utc w-su wet zulu
    """.split(separator: " ").map(String.init))

  /// Returns the first midnights that are not before two moments; throws 400 for a zone that Postgres does not know.
  func midnights(
    _ from: Timestamp, _ to: Timestamp, in database: Database
  ) async throws -> (from: Timestamp, to: Timestamp) {
    do {
      let (from, to) = try await database.query(Self.midnights, from, to, zone)[0].decode(
        (Timestamp.self, Timestamp.self))
      return (from, to)
    } catch  where error.sqlState == "22023" {
      throw Self.unknown
    }
  }

  private static var unknown: Problem {
    Problem(.malformed, "timeZone must be the IANA name of a time zone, such as Europe/Paris.")
  }

  /// The first instant of a day, given as its local midnight. Where clocks go back over midnight there are two, of
  /// which Postgres takes the second.
  private static func start(of day: String, in zone: String) -> String {
    let midnight = "\(day) AT TIME ZONE \(zone)"
    let hourBefore = "(\(midnight) - interval '1 hour')"
    return "CASE WHEN \(hourBefore) AT TIME ZONE \(zone) >= \(day) THEN \(hourBefore) ELSE \(midnight) END"
  }

  private static func midnight(_ moment: String) -> String {
    let day = "date_trunc('day', \(moment)::timestamptz AT TIME ZONE $3)"
    return """
      CASE WHEN \(start(of: day, in: "$3")) = \(moment) THEN \(moment)::timestamptz
        ELSE \(start(of: "(\(day) + interval '1 day')", in: "$3")) END
      """
  }
  private static let midnights = Statement(
    "readings.midnights", "SELECT \(midnight("$1")), \(midnight("$2"))")

  /// Reads a page as the statements of `Resolution` do; of one type (`$7`), or of all when that is NULL.
  static let page = Statement(
    "readings.zonedDays",
    """
    WITH days AS (
      SELECT sensor_type, date_trunc('day', start AT TIME ZONE $6) AS day, min(min) AS min, max(max) AS max,
        \(BucketMean.ofDay) AS mean, sum(count)::bigint AS count
      FROM readings_1h
      WHERE device_id = $1 AND start >= $2 AND start < $3 AND ($7::text IS NULL OR sensor_type = $7)
      GROUP BY 1, 2
    ), page AS (
      SELECT * FROM (SELECT \(start(of: "day", in: "$6")) AS at, days.* FROM days) begun
      WHERE at > $2 OR sensor_type > $4 ORDER BY at, sensor_type LIMIT $5
    ), types AS (
      SELECT sensor_type, row_number() OVER (ORDER BY sensor_type) - 1 AS number
      FROM (SELECT DISTINCT sensor_type FROM page) t
    )
    SELECT (SELECT array_agg(sensor_type ORDER BY number) FROM types), array_agg(number), array_agg(at),
      array_agg(mean), array_agg(min), array_agg(max), array_agg(count)
    FROM (SELECT number, page.* FROM page JOIN types USING (sensor_type) ORDER BY at, sensor_type) items
    """)
}
