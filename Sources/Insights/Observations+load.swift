import Agronomy
import Gardens
import Postgres
import Values

extension Observations {
  /// The most devices of a garden that are looked at, and the most sensor types.
  static let maximumDevices = 200
  static let maximumTypes = 256
  /// The most earlier insights that a rule is given.
  static let maximumSaid = 200
  /// The widths of the points that the rules look at, in seconds.
  static let wateringPointSeconds: Int64 = 900
  static let frostPointSeconds: Int64 = 600
  static let anomalyPointSeconds: Int64 = 600
  static let summaryPointSeconds: Int64 = 86_400

  /// Reads what the rule for `type` looks at.
  init(for type: InsightType, of garden: ObservedGarden, at now: Timestamp, _ transaction: Transaction) async throws {
    let devices = try await transaction.query(Self.devices, garden.id, now).map { try ObservedDevice($0, now: now) }
    self.init(
      series: try await Self.series(for: type, of: devices.map(\.id), at: now, transaction), now: now,
      longitude: garden.longitude, clock: garden.clock,
      clocks: Dictionary(uniqueKeysWithValues: devices.compactMap { device in device.clock.map { (device.id, $0) } }),
      limits: Dictionary(uniqueKeysWithValues: devices.map { ($0.id, $0.ground.limits(in: garden.ground)) }),
      silent: devices.compactMap { $0.silent(at: now) },
      devices: Set(devices.filter { !$0.isGone(at: now) }.map(\.id)),
      devicesLeftOut: try await Self.leftOut(devices.count, of: garden.id, transaction),
      longestSilences: Dictionary(
        uniqueKeysWithValues: devices.compactMap { device in device.longestSilence.map { (device.id, $0) } }),
      said: try await Self.said(type, of: garden.id, at: now, transaction))
  }

  /// How many devices a garden has besides the `count` that are looked at.
  private static func leftOut(
    _ count: Int, of garden: Identifier, _ transaction: Transaction
  ) async throws -> Int {
    if count < maximumDevices { return 0 }
    return max(0, try await transaction.query(deviceCount, garden)[0].decode(Int.self, 0) - count)
  }

  private static func said(
    _ type: InsightType, of garden: Identifier, at now: Timestamp, _ transaction: Transaction
  ) async throws -> [EarlierFinding] {
    let memory = type.memory
    let since = now.advanced(byHours: -24 * memory.days)
    // Another replica, whose clock is ahead, may just have told something.
    let until = now.advanced(byMilliseconds: InsightPass.latestSightMilliseconds)
    // An insight's id and time are of the same turn of a loop: an hour less is more than enough.
    let first = Identifier.lowest(at: since.advanced(byMilliseconds: -Timestamp.millisecondsPerHour))
    return try await transaction.query(said, garden, type.rawValue, since, until, memory.count, first).map { row in
      var columns = row.columns
      return EarlierFinding(
        at: try columns.next(), severity: try columns.next(), evidence: try columns.next(PostgresJSON.self).bytes,
        isTold: try columns.next())
    }
  }

  private static func series(
    for type: InsightType, of devices: [Identifier], at now: Timestamp, _ transaction: Transaction
  ) async throws -> [SensorSeries] {
    func since(_ hours: Int64) -> Timestamp { now.advanced(byHours: -Double(hours)) }
    // Points begin at fixed times, whenever they are read; only the days of the week end with the present moment.
    let epoch = Timestamp(unixMilliseconds: 0)
    switch type {
    case .watering:
      return try await transaction.query(
        points, devices, [KnownSensor.soilMoisture.rawValue], wateringPointSeconds, since(WateringRule.windowHours),
        now, now, epoch
      ).map(Self.series)
    case .frost:
      return try await transaction.query(
        points, devices, [KnownSensor.airTemperature.rawValue, KnownSensor.airHumidity.rawValue], frostPointSeconds,
        since(FrostRule.windowHours), now, since(24 * FrostRule.learntDays), epoch
      ).map(Self.series)
    case .anomaly:
      // A type at a time, so that no statement has to read a large garden whole.
      let types = try await transaction.query(types, devices)
      var series: [SensorSeries] = []
      for row in types {
        series += try await transaction.query(
          points, devices, [try row.decode(String.self, 0)], anomalyPointSeconds, since(AnomalyRule.windowHours), now,
          since(24 * AnomalyRule.usualDays), epoch
        ).map(Self.series)
      }
      return series
    case .summary:
      let types = try await transaction.query(types, devices)
      return try await transaction.query(
        points, devices, try types.map { try $0.decode(String.self, 0) }, summaryPointSeconds,
        since(SummaryRule.windowHours), now, now, since(SummaryRule.windowHours).advanced(byMilliseconds: 1)
      ).map(Self.series)
    }
  }

  /// Reads a row of `points`.
  private static func series(_ row: Row) throws -> SensorSeries {
    var columns = row.columns
    let (device, name, type) = (
      try columns.next(Identifier.self), try columns.next(String.self), try columns.next(String.self)
    )
    let (points, hours) = (try points(&columns), try points(&columns))
    // Where a sensor ended before its points begin, the last hour tells when.
    return SensorSeries(
      device: device, deviceName: name, sensorType: type, points: points.isEmpty ? hours.suffix(1) : points,
      hours: hours)
  }

  private static func points(_ columns: inout Columns) throws -> [Point] {
    let at = try columns.next([Timestamp].self)
    let (means, lows, highs) = (
      try columns.next([Double].self), try columns.next([Double].self), try columns.next([Double].self)
    )
    let counts = try columns.next([Int64].self)
    return at.indices.map {
      Point(at: at[$0], mean: means[$0], min: lows[$0], max: highs[$0], count: counts[$0])
    }
  }

  // MARK: SQL

  /// Devices heard of within a day come first, in the order of their ids, so that every look has the same ones; then
  /// the others, the latest first.
  private static let devices = Statement(
    "insights.devices",
    """
    SELECT \(ObservedDevice.columns(at: "$2")) FROM devices WHERE garden_id = $1
    ORDER BY CASE WHEN last_seen_at > $2 - interval '1 day' THEN $2 ELSE last_seen_at END DESC NULLS LAST, id
    LIMIT \(maximumDevices)
    """)

  private static let deviceCount = Statement(
    "insights.deviceCount", "SELECT count(*) FROM devices WHERE garden_id = $1")

  /// What was told comes first, so that it is remembered however much was asked for. Each part is read by an index, and
  /// only from the id `$6` on.
  static let said = Statement(
    "insights.said",
    """
    SELECT created_at, severity, evidence, told FROM (
      (\(said(where: "told"))) UNION ALL (\(said(where: "NOT told")))
    ) said
    ORDER BY told DESC, id DESC LIMIT $5
    """)

  private static func said(where condition: String) -> String {
    """
    SELECT id, created_at, severity, evidence, told FROM insights
    WHERE garden_id = $1 AND type = $2 AND id >= $6 AND created_at >= $3 AND created_at <= $4 AND \(condition)
    ORDER BY id DESC LIMIT $5
    """
  }

  /// The sensor types of devices.
  private static let types = Statement(
    "insights.types",
    """
    SELECT DISTINCT t.type
    FROM unnest($1::uuid[]) d (id) CROSS JOIN LATERAL (\(DeviceTypes.rows(of: "d.id"))) t (type)
    ORDER BY 1 LIMIT \(maximumTypes)
    """)

  private static func arrays(_ alias: String) -> String {
    ["at", "mean", "min", "max", "count"].map {
      "coalesce(array_agg(\(alias).\($0) ORDER BY \(alias).at), '{}') AS \($0)"
    }
    .joined(separator: ", ")
  }

  /// The points of sensors, a row for each sensor, in arrays. `$1` are devices, `$2` types, `$3` is the width of points
  /// in seconds, `$4` and `$5` the times between which they are, `$6` the time from which whole hours are read as well,
  /// `$7` a moment at which a point begins. Values that no sensor measures, which older releases accepted, are left
  /// out: their mean may be more than a double holds.
  private static let points = Statement(
    "insights.points",
    """
    SELECT d.id, d.name, t.type, p.at, p.mean, p.min, p.max, p.count, h.at, h.mean, h.min, h.max, h.count
    FROM devices d CROSS JOIN unnest($2::text[]) t (type)
    CROSS JOIN LATERAL (
      SELECT \(arrays("b")) FROM (
        SELECT date_bin(make_interval(secs => $3), measured_at, $7) AS at, avg(value) AS mean, min(value) AS min,
          max(value) AS max, count(*) AS count
        FROM readings_between($4, $5 + interval '1 millisecond')
        WHERE device_id = d.id AND sensor_type = t.type
          AND value \(Reading.sqlValues) GROUP BY 1
      ) b
    ) p
    CROSS JOIN LATERAL (
      SELECT \(arrays("b")) FROM (
        SELECT start AS at, \(BucketMean.of()) AS mean, min, max, count FROM readings_1h
        WHERE device_id = d.id AND sensor_type = t.type AND start >= $6 AND start < $5
          AND min >= \(Reading.values.lowerBound) AND max <= \(Reading.values.upperBound)
      ) b
    ) h
    WHERE d.id = ANY ($1::uuid[]) AND (p.at <> '{}' OR h.at <> '{}') ORDER BY d.id, t.type
    """)
}

extension InsightType {
  /// How many days back a rule has to know what was said, and the most insights of that time.
  fileprivate var memory: (days: Double, count: Int) {
    switch self {
    case .watering: (WateringRule.memoryDays, Observations.maximumSaid)
    case .frost: (FrostRule.memoryDays, Observations.maximumSaid)
    case .anomaly: (30, 1)
    case .summary: (0, 0)
    }
  }
}
