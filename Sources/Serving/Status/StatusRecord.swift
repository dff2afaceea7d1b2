import JSON
import Postgres
import Values
import Web

/// The history of the service, in SQL: spans of one status each, of which every replica extends the last each minute.
/// The service is as well as the best of them. Where there is no span, nothing served.
struct StatusRecord {
  private static let intervalSeconds: UInt64 = 60
  /// A longer break between two entries is an outage, in seconds; a shorter one may be a restart.
  private static let breakSeconds: Int32 = 180
  /// How many days spans are kept, and shown.
  static let days: Int32 = 90
  static let hours: Int32 = 48
  /// The most incidents that are shown.
  static let maximumIncidents = 20

  let database: Database

  /// Returns the duty that notes what `status` returns, unless that is nil.
  static func duty(_ status: @escaping () -> HealthStatus?) -> Duty {
    Duty(name: "status", intervalSeconds: intervalSeconds, timeoutMilliseconds: 5_000) { transaction in
      guard let status = status() else { return false }
      try await transaction.execute(note, status.rawValue, breakSeconds, Int32(intervalSeconds))
      return false
    }
  }

  static let expiry = Expiry(
    "expiry.status", from: "status_spans", where: "ended_at < now() - interval '\(days) days'")

  /// The answer's JSON.
  func body() async throws -> [UInt8] {
    let days = try await database.query(Self.shares, "day", Self.days, Self.breakSeconds)
    let hours = try await database.query(Self.shares, "hour", Self.hours, Self.breakSeconds)
    let incidents = try await database.query(Self.incidents)
    var json = JSONWriter()
    try json.object { json in
      json.key("days")
      try json.array { json in for row in days { try Self.writeShare(row, to: &json) } }
      json.key("hours")
      try json.array { json in for row in hours { try Self.writeShare(row, to: &json) } }
      json.key("incidents")
      try json.array { json in for row in incidents { try Self.writeIncident(row, to: &json) } }
    }
    return json.take()
  }

  private static func writeShare(_ row: Row, to json: inout JSONWriter) throws {
    try json.object { json in
      json.member("start", try row.decode(Timestamp.self, 0))
      json.member("up", try row.decode(Double?.self, 1))
      json.member("degraded", try row.decode(Double?.self, 2))
    }
  }

  private static func writeIncident(_ row: Row, to json: inout JSONWriter) throws {
    try json.object { json in
      json.member("from", try row.decode(Timestamp.self, 0))
      json.member("to", try row.decode(Timestamp.self, 1))
      json.member("status", try row.decode(String.self, 2))
    }
  }

  /// $1 is the status, $2 the longest break in seconds, and $3 how long a note counts. Extends the last span, or adds
  /// one that follows it without a break, or after one; not while a better status counts, of another replica.
  private static let note = Statement(
    "status.note",
    """
    WITH last AS (
      SELECT started_at, ended_at, status FROM status_spans
      WHERE ended_at > now() - $2 * interval '1 second' ORDER BY started_at DESC LIMIT 1
    ), better AS (
      SELECT 1 FROM last WHERE ended_at > now() - $3 * interval '1 second'
        AND array_position(\(fromBest), status) < array_position(\(fromBest), $1::text)
    ), same AS (
      UPDATE status_spans SET ended_at = now() FROM last
      WHERE status_spans.started_at = last.started_at AND last.status = $1 RETURNING 1
    )
    INSERT INTO status_spans (started_at, ended_at, status)
    SELECT coalesce((SELECT ended_at FROM last), now()), now(), $1
    WHERE NOT EXISTS (SELECT FROM same) AND NOT EXISTS (SELECT FROM better)
    ON CONFLICT (started_at) DO UPDATE SET ended_at = excluded.ended_at, status = excluded.status
    """)

  /// The statuses in their order, from the best.
  private static let fromBest = "'{\(HealthStatus.allCases.map(\.rawValue).joined(separator: ","))}'::text[]"

  /// $1 is `day` or `hour`, $2 how many of them, $3 the longest break in seconds. Returns for each the share that was
  /// served, and the share that was degraded.
  ///
  /// Spans do not overlap: of those that began before a step, only the last may reach into it.
  static let shares = Statement(
    "status.shares",
    """
    WITH whole AS (
      SELECT min(started_at) AS since,
        CASE WHEN max(ended_at) > now() - $3 * interval '1 second' THEN max(ended_at) ELSE now() END AS until
      FROM status_spans
    ), steps AS (
      SELECT start, start + ('1 ' || $1)::interval AS stop,
        coalesce((SELECT max(started_at) FROM status_spans WHERE started_at <= start), start) AS first
      FROM generate_series(
        date_trunc($1, now(), 'UTC') - ($2 - 1) * ('1 ' || $1)::interval, now(), ('1 ' || $1)::interval) AS start
    ), parts AS (
      SELECT start, status, extract(epoch FROM least(stop, until) - greatest(start, since)) AS all_of_it,
        extract(epoch FROM least(ended_at, stop) - greatest(started_at, start)) AS part
      FROM steps CROSS JOIN whole LEFT JOIN status_spans
        ON started_at >= first AND started_at < stop AND ended_at > start
    )
    SELECT start, (coalesce(sum(part) FILTER (WHERE status <> 'unhealthy'), 0) / nullif(greatest(all_of_it, 0), 0))::float8,
      (coalesce(sum(part) FILTER (WHERE status = 'degraded'), 0) / nullif(greatest(all_of_it, 0), 0))::float8
    FROM parts GROUP BY start, all_of_it ORDER BY start
    """)

  private static let incidents = Statement(
    "status.incidents",
    """
    SELECT started_at, ended_at, status FROM (
      SELECT started_at, ended_at, status FROM status_spans WHERE status <> 'healthy'
      UNION ALL
      SELECT ended_at, lead(started_at) OVER (ORDER BY started_at), 'away' FROM status_spans
    ) AS incidents
    WHERE ended_at > started_at ORDER BY started_at DESC LIMIT \(maximumIncidents)
    """)

  private static let share = Schema.object([
    .required("start", .timestamp),
    .required("up", .nullable(.number(minimum: 0)), "The share that was served, 0 to 1; null where nothing is known."),
    .required("degraded", .nullable(.number(minimum: 0)), "The share that was served, but degraded."),
  ])

  static let schema = Schema.named(
    "StatusHistory",
    .object([
      .required("days", .array(share, maxItems: Int(days)), "Days of UTC; the last is today."),
      .required("hours", .array(share, maxItems: Int(hours))),
      .required(
        "incidents",
        .array(
          .object([
            .required("from", .timestamp), .required("to", .timestamp),
            .required("status", .enumeration(["degraded", "unhealthy", "away"]), "`away` is an outage."),
          ]), maxItems: maximumIncidents), "Newest first."),
    ]))
}
