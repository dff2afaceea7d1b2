import Postgres

/// How fine readings are read back.
enum Resolution: String, CaseIterable {
  case raw
  case fiveMinutes = "5m"
  case hours = "1h"
  case days = "1d"

  /// Reads a page of one sensor type (`$6`), or of all that the device has.
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

  /// Where rows come from, for a device `$1` from `$2` to `$3`.
  private struct Source {
    let table: String
    let time: String
    let columns: String
    /// The columns but for the time, as arrays.
    let values: String
    var grouping = ""
    /// From the start of an item to the first that the next one may have; what lies between is of the same item.
    var step = "1 millisecond"
  }

  /// Sums of what was stored before values had a bound need not fit into a double, or are infinite: a mean is between
  /// its minimum and maximum whatever happens, and numbers are divided by a power of two, exactly, to be added up.
  private static let scale = "2.0::float8 ^ 40"

  private static let readings = Source(
    table: "readings", time: "measured_at", columns: "measured_at AS at, value", values: "array_agg(value)")

  private static func buckets(_ table: String) -> Source {
    Source(
      table: table, time: "start",
      columns: "start AS at, min, max, greatest(min, least(max, sum / count)) AS mean, count", values: bucketValues)
  }

  private static let daily = Source(
    table: "readings_1h", time: "start",
    columns: """
      date_bin('1 day', start, timestamptz '2000-01-01 00:00:00+00') AS at,
      min(min), max(max), greatest(min(min), least(max(max), sum(sum / \(scale)) / sum(count) * \(scale))) AS mean,
      sum(count)::bigint AS count
      """,
    values: bucketValues, grouping: "GROUP BY sensor_type, at", step: "24 hours")

  private static let bucketValues = "array_agg(mean), array_agg(min), array_agg(max), array_agg(count)"

  /// A page of at most `$5` items, ascending by time and type, after the type `$4` at the time `$2`: the names of its
  /// types, which of them each item is of (NULL when there is one type), and an array for each column.
  ///
  /// The arrays take their order from the page, and cost this server a fraction of what as many rows would. The first
  /// so many of each type are found by the index, whatever the span, and merged: sorting the whole span for each of its
  /// pages would take quadratic time. The types are found by the index as well, in one look for each.
  ///
  /// One type is read in the same way, without a sort: the planner sees that it has one number. The second limit keeps
  /// it from making a plan for every execution, since it takes the plan for any parameters for the cheapest.
  private static func page(_ name: String, ofOneType: Bool, of source: Source) -> Statement {
    let (table, time) = (source.table, source.time)
    let span = "device_id = $1 AND \(time) >= $2 AND \(time) < $3"
    let types =
      ofOneType
      ? "SELECT 0::bigint, $6::text"
      : """
      (SELECT 0::bigint, sensor_type FROM \(table) WHERE \(span) ORDER BY sensor_type LIMIT 1)
      UNION ALL
      SELECT number + 1, (
        SELECT sensor_type FROM \(table) WHERE \(span) AND sensor_type > t.sensor_type ORDER BY sensor_type LIMIT 1
      ) FROM types t WHERE t.sensor_type IS NOT NULL
      """
    let names =
      ofOneType
      ? "ARRAY[$6::text], NULL::bigint[]"
      : "(SELECT array_agg(sensor_type ORDER BY number) FROM types WHERE sensor_type IS NOT NULL), array_agg(number)"
    return Statement(
      "readings.\(name)",
      """
      WITH RECURSIVE types (number, sensor_type) AS (
      \(types)
      )
      SELECT \(names), array_agg(at), \(source.values)
      FROM (
        SELECT t.number, items.* FROM types t CROSS JOIN LATERAL (
          SELECT \(source.columns) FROM \(table)
          WHERE \(span) AND sensor_type = t.sensor_type
            AND \(time) >= CASE WHEN t.sensor_type > $4 THEN $2 ELSE $2 + interval '\(source.step)' END
          \(source.grouping) ORDER BY at LIMIT $5
        ) items
        WHERE t.sensor_type IS NOT NULL
        ORDER BY at, number LIMIT $5
      ) page
      """)
  }
}
