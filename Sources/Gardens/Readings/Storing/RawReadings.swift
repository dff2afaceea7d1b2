import Postgres

/// The raw readings, as fragments of SQL: those of the last days are rows, days that are over are arrays, and late
/// readings of these are rows until they are merged. Every reader sees one history.
package enum RawReadings {
  /// Keeps the days where they are until the end of a transaction, which runs this before it first reads: a snapshot
  /// from before a day was sealed finds nothing of it once its partition was dropped.
  package static let keepDays = Statement("readings.keepDays", "LOCK TABLE readings IN ACCESS SHARE MODE")

  /// The rows of `measured_at` and `value` of one sensor from `from` to before `to`; with `limit`, at most that many of
  /// each part, the earliest.
  ///
  /// Days are unpacked one after the other, as far as the limit needs: they come in the order of their index, and their
  /// readings in that of their arrays. OFFSET keeps the planner from unpacking all of them to sort what is in order
  /// already.
  package static func rows(device: String, type: String, from: String, to: String, limit: String? = nil) -> String {
    let series = "device_id = \(device) AND sensor_type = \(type)"
    let span = "\(series) AND measured_at >= \(from) AND measured_at < \(to)"
    let (first, any) = limit.map { ("ORDER BY measured_at LIMIT \($0)", "LIMIT \($0)") } ?? ("", "")
    return """
      (SELECT measured_at, value FROM readings WHERE \(span) \(first))
      UNION ALL
      (SELECT measured_at, value FROM readings_late WHERE \(span) \(first))
      UNION ALL
      (SELECT \(time), u.value FROM (
        SELECT start, times, values FROM readings_sealed
        WHERE \(series) AND start > \(from) - interval '24 hours' AND start < \(to) ORDER BY start OFFSET 0
      ) s CROSS JOIN LATERAL \(unpacked) WHERE \(time) >= \(from) AND \(time) < \(to) \(any))
      """
  }

  /// All rows of one device from a moment on.
  static func rows(device: String, from: String) -> String {
    let columns = "device_id, sensor_type, measured_at, value"
    return """
      SELECT \(columns) FROM readings WHERE device_id = \(device) AND measured_at >= \(from)
      UNION ALL
      SELECT \(columns) FROM readings_late WHERE device_id = \(device) AND measured_at >= \(from)
      UNION ALL
      SELECT s.device_id, s.sensor_type, \(time), u.value FROM readings_sealed s CROSS JOIN LATERAL \(unpacked)
      WHERE s.device_id = \(device) AND s.start > \(from) - interval '24 hours' AND \(time) >= \(from)
      """
  }

  /// The start of a moment's day, by which a day is known.
  static func day(of time: String) -> String { bucket("1 day", of: time) }

  /// The start of a moment's bucket, which has the length `length`.
  package static func bucket(_ length: String, of time: String) -> String {
    "date_bin('\(length)', \(time), timestamptz '2000-01-01 00:00:00+00')"
  }

  /// Milliseconds from the start of its day to a moment.
  static func milliseconds(_ time: String, from start: String) -> String {
    "(date_part('epoch', \(time) - \(start)) * 1000)::integer"
  }

  /// The readings `u` of a sealed day `s`.
  static let unpacked = "unnest(s.times, s.values) AS u (ms, value)"
  private static let time = "s.start + u.ms * interval '1 millisecond'"
}
