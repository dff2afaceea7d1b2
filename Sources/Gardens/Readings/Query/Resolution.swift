import Postgres

/// The resolution in which readings are read.
enum Resolution: String, CaseIterable {
  case raw
  case fiveMinutes = "5m"
  case hours = "1h"
  case days = "1d"

  /// Returns the statement that reads a page of one sensor type (`$6`), or of all that the device has.
  func statement(ofOneType: Bool) -> Statement {
    switch self {
    case .raw: ofOneType ? Self.rawOfOne : Self.rawOfAll
    case .fiveMinutes: ofOneType ? Self.fiveMinutesOfOne : Self.fiveMinutesOfAll
    case .hours: ofOneType ? Self.hoursOfOne : Self.hoursOfAll
    case .days: ofOneType ? Self.daysOfOne : Self.daysOfAll
    }
  }

  private static let rawOfOne = page("raw", ofOneType: true, of: readings)
  private static let rawOfAll = page("raw", ofOneType: false, of: readings)
  private static let fiveMinutesOfOne = page("5m", ofOneType: true, of: buckets("readings_5m"))
  private static let fiveMinutesOfAll = page("5m", ofOneType: false, of: buckets("readings_5m"))
  private static let hoursOfOne = page("1h", ofOneType: true, of: buckets("readings_1h"))
  private static let hoursOfAll = page("1h", ofOneType: false, of: buckets("readings_1h"))
  private static let daysOfOne = page("1d", ofOneType: true, of: daily)
  private static let daysOfAll = page("1d", ofOneType: false, of: daily)
  private static let daily = buckets("readings_1d", mean: "mean")

  /// The source of a page's rows, for a device `$1` from `$2` on.
  private struct Source: Sendable {
    /// The rows of the sensor type `t.sensor_type` from the page's beginning to before `end`, at most `limit` of them,
    /// ascending by `at`.
    let rows: @Sendable (_ end: String, _ limit: String) -> String
    /// The columns but for the time, as arrays.
    let values: String
  }

  /// From when on a type has items on the page: those at the very moment `$2` were on the page before, up to the type
  /// `$4`.
  private static let first =
    "CASE WHEN t.sensor_type > $4 THEN $2 ELSE $2::timestamptz + interval '1 millisecond' END"

  private static let readings = Source(
    rows: { end, limit in
      """
      SELECT measured_at AS at, value FROM (
      \(RawReadings.rows(device: "$1", type: "t.sensor_type", from: first, to: end, limit: limit))
      ) history ORDER BY at LIMIT \(limit)
      """
    },
    values: "array_agg(value)")

  /// Sums of values stored before these had a bound may be infinite, so a mean is kept between its minimum and maximum.
  private static func buckets(
    _ table: String, mean: String = "greatest(min, least(max, \(BucketMean.of())))"
  ) -> Source {
    Source(
      rows: { end, limit in
        """
        SELECT start AS at, min, max, \(mean) AS mean, count FROM \(table)
        WHERE device_id = $1 AND sensor_type = t.sensor_type AND start >= \(first) AND start < \(end)
        ORDER BY start LIMIT \(limit)
        """
      },
      values: "array_agg(mean), array_agg(min), array_agg(max), array_agg(count)")
  }

  /// Reads a page of at most `$5` items before `$3`, ascending by time and type, behind the type `$4` at the time `$2`.
  /// Its row has the names of the page's types, each item's index into these (NULL when there is one type), and an
  /// array for each column.
  ///
  /// The arrays take their order from the page, and cost this server a fraction of what as many rows would. The first
  /// `$5` items of each type are found by the index, whatever the span, and merged: sorting the whole span for each of
  /// its pages would take quadratic time. Where each type has its share of the page, none is read beyond the last
  /// share.
  ///
  /// One type is read in the same way, without a sort: the planner sees that it has one number. The second limit keeps
  /// it from planning every execution anew, since the generic plan then seems the cheapest.
  private static func page(_ name: String, ofOneType: Bool, of source: Source) -> Statement {
    let types =
      ofOneType
      ? "types (number, sensor_type) AS (SELECT 0::bigint, $6::text)"
      : """
      types (number, sensor_type) AS MATERIALIZED (
        SELECT row_number() OVER (ORDER BY type) - 1, type FROM (\(DeviceTypes.rows(of: "$1"))) AS d (type)
      ), share (items) AS MATERIALIZED (
        SELECT $5 / greatest(count(*), 1) + 1 FROM types
      ), page_end (at) AS MATERIALIZED (
        SELECT CASE WHEN bool_and(part.at IS NOT NULL) THEN least($3, max(part.at) + interval '1 millisecond') ELSE $3 END
        FROM types t LEFT JOIN LATERAL (
          SELECT at FROM (
          \(source.rows("$3", "(SELECT items FROM share)"))
          ) items ORDER BY at OFFSET (SELECT items FROM share) - 1 LIMIT 1
        ) part ON true
      )
      """
    let names =
      ofOneType
      ? "ARRAY[$6::text], NULL::bigint[]"
      : "(SELECT array_agg(sensor_type ORDER BY number) FROM types), array_agg(number)"
    return Statement(
      "readings.\(name)",
      """
      WITH \(types)
      SELECT \(names), array_agg(at), \(source.values)
      FROM (
        SELECT t.number, items.* FROM types t CROSS JOIN LATERAL (
        \(source.rows(ofOneType ? "$3" : "(SELECT at FROM page_end)", "$5"))
        ) items
        ORDER BY at, number LIMIT $5
      ) page
      """)
  }
}
