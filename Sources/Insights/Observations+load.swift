import Agronomy
import Gardens
import Postgres
import Values

extension Observations {
  /// The most devices of a garden that are looked at.
  static let maximumDevices = 200
  /// The most points that are read for one finding.
  static let maximumPoints = 60_000
  /// The widths of the points that the rules look at, in seconds.
  static let wateringPointSeconds: Int64 = 900
  static let frostPointSeconds: Int64 = 600
  static let anomalyPointSeconds: Int64 = 300
  static let summaryPointSeconds: Int64 = 86_400

  /// Reads what the rule for a type looks at.
  init(for type: InsightType, of garden: ObservedGarden, at now: Timestamp, _ transaction: Transaction) async throws {
    let rows =
      switch type {
      case .watering:
        try await transaction.query(
          Self.recent, garden.id, [KnownSensor.soilMoisture.rawValue], Self.wateringPointSeconds,
          now.advanced(byHours: -Double(WateringRule.windowHours)), now)
      case .frost:
        try await transaction.query(
          Self.recent, garden.id, [KnownSensor.airTemperature.rawValue, KnownSensor.airHumidity.rawValue],
          Self.frostPointSeconds, now.advanced(byHours: -Double(FrostRule.windowHours)), now)
      case .anomaly:
        try await transaction.query(
          Self.sameHours, garden.id, Self.anomalyPointSeconds,
          now.advanced(byHours: -24 * Double(AnomalyRule.baselineDays)), now, AnomalyRule.baselineDays)
      case .summary:
        try await transaction.query(
          Self.all, garden.id, Self.summaryPointSeconds, now.advanced(byHours: -Double(SummaryRule.windowHours)), now)
      }
    self.init(series: try Self.series(rows), now: now, longitude: garden.longitude)
  }

  /// Gathers rows, ordered by device, type and time, into series.
  private static func series(_ rows: Rows) throws -> [SensorSeries] {
    var series: [SensorSeries] = []
    var (device, type, points): (Identifier?, String, [Point]) = (nil, "", [])
    var name = ""
    func finish() {
      if let device { series.append(SensorSeries(device: device, deviceName: name, sensorType: type, points: points)) }
    }
    for row in rows {
      let (rowDevice, rowName, rowType) = try row.decode((Identifier.self, String.self, String.self))
      if rowDevice != device || rowType != type {
        finish()
        (device, name, type, points) = (rowDevice, rowName, rowType, [])
      }
      points.append(
        Point(
          at: try row.decode(Timestamp.self, 3), mean: try row.decode(Double.self, 4),
          min: try row.decode(Double.self, 5), max: try row.decode(Double.self, 6),
          count: try row.decode(Int64.self, 7)))
    }
    finish()
    return series
  }

  // MARK: SQL

  private static let devices =
    "(SELECT id, name FROM devices WHERE garden_id = $1 ORDER BY id LIMIT \(maximumDevices)) d"

  /// The sensor types of a device.
  private static let types = "LATERAL (\(DeviceTypes.rows(of: "d.id"))) t (type)"

  /// The readings of a device and type from one parameter to another, inclusive.
  private static func readings(_ from: String, _ to: String) -> String {
    "readings_between(\(from), \(to) + interval '1 millisecond') WHERE device_id = d.id AND sensor_type = t.type"
  }

  /// Readings within a condition on their time, as points of so many seconds. Values that no
  /// sensor measures, which older releases took, are left out: their mean may be more than a double holds.
  private static func points(_ seconds: String, of readings: String, where condition: String = "true") -> String {
    """
    SELECT date_bin(make_interval(secs => \(seconds)), measured_at, 'epoch') AS at,
      avg(value) AS mean, min(value) AS min, max(value) AS max, count(*) AS count
    FROM \(readings) AND \(condition) AND value \(Reading.sqlValues) GROUP BY 1
    """
  }

  private static let columns = "d.id, d.name, t.type, p.at, p.mean, p.min, p.max, p.count"
  private static let order = "ORDER BY d.id, t.type, p.at LIMIT \(maximumPoints)"

  private static let recent = Statement(
    "insights.recent",
    """
    SELECT \(columns) FROM \(devices) CROSS JOIN unnest($2::text[]) t (type)
    CROSS JOIN LATERAL (\(points("$3", of: readings("$4", "$5")))) p \(order)
    """)

  private static let all = Statement(
    "insights.all",
    """
    SELECT \(columns) FROM \(devices) CROSS JOIN \(types)
    CROSS JOIN LATERAL (\(points("$2", of: readings("$3", "$4")))) p \(order)
    """)

  /// The 25 hours before each sensor's newest reading, and that reading's hour on the days before them.
  private static let sameHours = Statement(
    "insights.sameHours",
    """
    SELECT \(columns) FROM \(devices) CROSS JOIN \(types)
    CROSS JOIN LATERAL (
      SELECT measured_at AS newest FROM \(readings("$3", "$4"))
      ORDER BY measured_at DESC LIMIT 1
    ) n
    CROSS JOIN generate_series(0, $5) AS day
    CROSS JOIN LATERAL (
      \(points(
        "$2", of: readings("$3", "$4"),
        where: """
          day <> 1
            AND measured_at > n.newest - make_interval(days => day::int, hours => CASE day WHEN 0 THEN 25 ELSE 1 END)
            AND measured_at <= n.newest - make_interval(days => day::int)
          """))
    ) p \(order)
    """)
}

/// What findings need to know of a garden itself.
struct ObservedGarden {
  let id: Identifier
  let name: String
  /// Degrees east; nil when the garden does not say where it is.
  let longitude: Double?
}
