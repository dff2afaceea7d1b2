import Agronomy
import HTTP
import JSON
import Postgres
import Values
import Web

/// The readings of a garden's devices over a span, in steps that a chart has room for.
struct GardenHistory {
  /// The most devices of a garden that are shown: more lines could not be told apart.
  static let maximumDevices = 50
  /// The most series, each of one sensor of one device.
  static let maximumSeries = 300
  /// The most steps, unless they are the longest ones.
  static let maximumSteps: Int64 = 400
  /// The longest span, in days: ten years.
  static let maximumDays: Int64 = 3_653

  /// How much time is shown.
  enum Range: String, CaseIterable {
    case day, week, month, year

    var days: Int64 {
      switch self {
      case .day: 1
      case .week: 7
      case .month: 30
      case .year: 365
      }
    }
  }

  /// The possible steps, in seconds: 5 and 15 minutes, 1 and 4 hours, a day and a week.
  private static let steps: [Int64] = [300, 900, 3_600, 14_400, 86_400, 604_800]
  private static let hour: Int64 = 3_600

  let garden: Identifier
  private let stepSeconds: Int64
  private let from: Timestamp
  private let to: Timestamp

  /// Takes whole steps that hold the span. There are buckets of five minutes from `fineFrom` on.
  init(garden: Identifier, from: Timestamp, to: Timestamp, fineFrom: Timestamp) {
    self.garden = garden
    let seconds = (to.unixMilliseconds - from.unixMilliseconds + 999) / 1_000
    let shortest = from < fineFrom ? Self.hour : 0
    stepSeconds = Self.steps.first { $0 >= shortest && seconds <= $0 * Self.maximumSteps } ?? Self.steps.last!
    let step = stepSeconds * 1_000
    self.from = from.roundedDown(to: step)
    self.to = to.advanced(byMilliseconds: step - 1).roundedDown(to: step)
  }

  /// Reads the span that a query asks for: a range that ends now, or `from` and `to`.
  init(garden: Identifier, _ query: Query, fineDays: Int, now: Timestamp) throws {
    let range = try query.word("range", Range.self) ?? .day
    let to = try query.timestamp("to") ?? now.advanced(byMilliseconds: 1)
    let from = try query.timestamp("from") ?? to.advanced(byDays: -range.days)
    guard from < to, to <= from.advanced(byDays: Self.maximumDays) else {
      throw Problem(
        .malformed, "`from` comes before `to`, by at most \(Self.maximumDays) days.")
    }
    let fineFrom = now.advanced(byDays: -Int64(fineDays))
    self.init(garden: garden, from: from, to: to, fineFrom: fineFrom)
    guard Timestamp.writable.contains(self.from), Timestamp.writable.contains(self.to) else {
      throw Problem(.malformed, "The span, in whole steps, must lie in the years 0000 to 9999.")
    }
  }

  /// Identifies the chart.
  var key: GardenCharts.Key {
    GardenCharts.Key(garden: garden, from: from, to: to, isFine: stepSeconds < Self.hour)
  }

  /// Returns the answer's JSON. Its arrays are sent as the database made them, so that this loop handles no single
  /// point.
  func body(_ database: Database) async throws -> [UInt8] {
    let devices = try await database.query(Self.devices, garden).map { row in
      var columns = row.columns
      let (id, span) = (try columns.next(Identifier.self), try OnlineSpan(&columns))
      let (ground, garden) = (try Ground(&columns), try Ground(&columns))
      return (id: id, span: span, limits: ground.limits(in: garden))
    }
    let statement = stepSeconds < Self.hour ? Self.fromFiveMinutes : Self.fromHours
    let series = try await database.query(
      statement, garden, from, to, from.unixMilliseconds / 1_000, stepSeconds)
    var json = JSONWriter()
    try json.object { json in
      json.member("from", from)
      json.member("to", to)
      json.member("stepSeconds", stepSeconds)
      json.member("devices", devices.map(\.id))
      json.member("silentAfterSeconds", devices.map { $0.span.seconds })
      json.member("dryBelow", devices.map { $0.limits.dryBelow })
      json.member("wetAbove", devices.map { $0.limits.wetAbove })
      json.key("series")
      try json.array { json in for row in series { try Self.write(row, to: &json) } }
    }
    return json.take()
  }

  private static func write(_ row: Row, to json: inout JSONWriter) throws {
    try json.object { json in
      let sensorType = try row.decode(String.self, 1)
      json.member("deviceId", try row.decode(Identifier.self, 0))
      json.member("sensorType", sensorType)
      json.member("unit", KnownSensor(rawValue: sensorType)?.unit)
      for (index, name) in arrays.enumerated() {
        json.key(name)
        json.raw(try row.decode(PostgresJSON.self, 2 + index).bytes)
      }
    }
  }

  /// The arrays of each series, by its steps: the columns behind its device and type.
  private static let arrays: [StaticString] = ["bucket", "mean", "min", "max", "sum"]

  private static let devices = Statement(
    "gardenPages.devices",
    """
    SELECT devices.id, \(OnlineSpan.column), \(Ground.columns(of: "devices")), \(Ground.columns(of: "gardens"))
    FROM devices JOIN gardens ON gardens.id = devices.garden_id
    WHERE devices.garden_id = $1 ORDER BY devices.id LIMIT \(maximumDevices)
    """)
  static let fromFiveMinutes = Statement("gardenPages.fiveMinutes", series(from: "readings_5m"))
  static let fromHours = Statement("gardenPages.hours", series(from: "readings_1h"))

  /// `$1` is the garden, `$2` and `$3` are the span, `$4` is its beginning and `$5` the step, in seconds. Each series
  /// is one walk along the index, however long its history.
  private static func series(from table: String) -> String {
    """
    SELECT s.device_id, s.sensor_type, steps.bucket, steps.mean, steps.min, steps.max, steps.sum
    FROM (SELECT id FROM devices WHERE garden_id = $1 ORDER BY id LIMIT \(maximumDevices)) AS d
    CROSS JOIN LATERAL (SELECT d.id, types.type FROM (\(DeviceTypes.rows(of: "d.id"))) AS types (type)) AS s (device_id, sensor_type)
    CROSS JOIN LATERAL (
      SELECT json_agg(bucket) AS bucket, json_agg(round(mean * 1000) / 1000) AS mean, json_agg(round(min * 1000) / 1000) AS min,
        json_agg(round(max * 1000) / 1000) AS max, json_agg(round(sum * 1000) / 1000) AS sum
      FROM (
        SELECT (extract(epoch FROM r.start)::int8 - $4) / $5 AS bucket,
          \(BucketMean.of(sum: "sum(r.sum)", count: "sum(r.count)")) AS mean, sum(r.sum) AS sum, min(r.min) AS min,
          max(r.max) AS max
        FROM \(table) AS r
        WHERE r.device_id = s.device_id AND r.sensor_type = s.sensor_type AND r.start >= $2 AND r.start < $3
        GROUP BY 1 ORDER BY 1
      ) AS step
    ) AS steps
    WHERE steps.bucket IS NOT NULL ORDER BY 2, 1 LIMIT \(maximumSeries)
    """
  }

  static let schema = Schema.named(
    "GardenHistory",
    .object([
      .required("from", .timestamp),
      .required("to", .timestamp),
      .required("stepSeconds", .integer(minimum: 1)),
      .required("devices", .array(.identifier, maxItems: maximumDevices), "In the order in which they were made."),
      .required(
        "silentAfterSeconds", .array(.integer(minimum: 1), maxItems: maximumDevices),
        "For each device, the time without a value that counts as silence, in seconds."),
      .required("dryBelow", limits, "For each device, the percent of volume below which the rules call its soil dry."),
      .required(
        "wetAbove", limits, "For each device, the percent of volume above which the rules call its soil too wet."),
      .required("series", .array(oneSeries, maxItems: maximumSeries)),
    ]))

  private static let limits = Schema.array(.number(minimum: 0, maximum: 100), maxItems: maximumDevices)

  private static let oneSeries = Schema.named(
    "GardenHistorySeries",
    .object([
      .required("deviceId", .identifier),
      .required("sensorType", .string()),
      .required("unit", .nullable(.string()), "Null when it has none, or the server knows none."),
      .required(
        "bucket", .array(.integer(minimum: 0)), "The steps that have values: step n begins n steps after `from`."),
      .required("mean", .array(.number()), "One value for each step in `bucket`, as in `min`, `max` and `sum`."),
      .required("min", .array(.number())),
      .required("max", .array(.number())),
      .required("sum", .array(.number()), "The sum of all readings of the step, such as how much it rained."),
    ]))
}
