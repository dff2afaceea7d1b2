import Agronomy
import Commerce
import Gardens
import Insights
import Postgres
import Values
import Web

/// Rows on their way into the database, one statement for each table.
struct ImportBatch {
  /// The number of rows at which a batch is written.
  static let fullCount = 4_000
  /// The length of its lines, in bytes, at which a batch of fewer rows is written.
  static let fullBytes = 1 << 20

  struct Insight {
    let id: Identifier
    let garden: Identifier
    let type: InsightType
    let provider: InsightProvider
    let severity: Severity
    let title: String
    let text: String
    let evidence: [UInt8]
    let createdAt: Timestamp
  }
  struct Reading {
    let device: Identifier
    let sensorType: String
    let measuredAt: Timestamp
    let value: Double
  }
  struct Hour {
    let device: Identifier
    let sensorType: String
    let start: Timestamp
    let min: Double
    let max: Double
    let sum: Double
    let count: Int64
    /// Whether it is a single reading that is too old to stay raw.
    let isReading: Bool
  }

  struct MeasuredType {
    let device: Identifier
    let name: String
  }

  var gardens: [GardenInput.Row] = []
  var devices: [DeviceInput.Row] = []
  var businesses: [BusinessInput.Row] = []
  var products: [ProductInput.Row] = []
  var insights: [Insight] = []
  var readings: [Reading] = []
  var hours: [Hour] = []
  /// Sensor types that the file has not named for their device before.
  var types: [MeasuredType] = []
  /// The length of the lines that its rows came from, in bytes.
  var bytes = 0

  var count: Int {
    gardens.count + devices.count + businesses.count + products.count + insights.count + readings.count + hours.count
  }

  /// Whether the batch should be written before anything is added.
  var isFull: Bool { count >= Self.fullCount || bytes >= Self.fullBytes }

  /// Writes all rows, those that others refer to first, and returns how many raw readings were new: of two with the
  /// same device, type and time the first stays.
  func write(
    _ owner: Identifier, at now: Timestamp, in transaction: Transaction
  ) async throws -> Int {
    if !gardens.isEmpty { try await GardenInput.insert(gardens, of: owner, in: transaction) }
    if !devices.isEmpty { try await DeviceInput.insert(devices, by: owner, in: transaction) }
    if !businesses.isEmpty { try await BusinessInput.insert(businesses, of: owner, in: transaction) }
    if !products.isEmpty { try await ProductInput.insert(products, of: owner, in: transaction) }
    if !insights.isEmpty { try await writeInsights(transaction) }
    if !hours.isEmpty { try await writeHours(transaction) }
    if readings.isEmpty { return 0 }
    let rows = try await transaction.query(
      Self.insertReadings, readings.map(\.device), readings.map(\.sensorType), readings.map(\.measuredAt),
      readings.map(\.value), OpenDays.start(at: now))
    return try rows[0].decode(Int.self, 0)
  }

  /// Adds the new sensor types to their devices, as readings that are posted do.
  mutating func noteTypes(in transaction: Transaction) async throws(PostgresError) {
    if types.isEmpty { return }
    try await transaction.execute(Self.addTypes, types.map(\.device), types.map(\.name))
    types = []
  }

  // MARK: Tables

  private func writeInsights(_ transaction: Transaction) async throws(PostgresError) {
    try await transaction.execute(
      Self.insertInsights, insights.map(\.id), insights.map(\.garden), insights.map(\.type.rawValue),
      insights.map(\.provider.rawValue), insights.map(\.severity.rawValue), insights.map(\.title),
      insights.map(\.text), insights.map { PostgresJSON($0.evidence) }, insights.map(\.createdAt))
  }

  private func writeHours(_ transaction: Transaction) async throws(PostgresError) {
    try await transaction.execute(
      Self.insertHours, hours.map(\.device), hours.map(\.sensorType), hours.map(\.start), hours.map(\.min),
      hours.map(\.max), hours.map(\.sum), hours.map(\.count))
  }

  // MARK: SQL

  /// `told` is false: no user had news of these here, so they must not suppress any.
  private static let insertInsights = Statement(
    "import.insights",
    """
    INSERT INTO insights (id, garden_id, type, provider, severity, title, text, evidence, created_at, told)
    SELECT *, false FROM unnest(
      $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
      $9::timestamptz[])
    """)
  /// Queues the buckets that these readings change in the same transaction; the rollup makes them anew soon after.
  private static let insertReadings = Statement(
    "import.readings",
    """
    WITH file AS (
      SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::float8[])
        AS r (device_id, sensor_type, measured_at, value)
    ), stale AS (
      INSERT INTO rollup_queue (device_id, sensor_type, start)
      SELECT DISTINCT device_id, sensor_type,
        \(RawReadings.bucket("5 minutes", of: "measured_at")) FROM file
    ), recent AS (
      INSERT INTO readings (device_id, sensor_type, measured_at, value) SELECT * FROM file WHERE measured_at >= $5
      ON CONFLICT DO NOTHING RETURNING 1
    ), key AS (
      SELECT * FROM file WHERE measured_at < $5
    ), \(LateReadings.held), late AS (
      INSERT INTO readings_late (device_id, sensor_type, measured_at, value)
      SELECT device_id, sensor_type, measured_at, value FROM held WHERE stored IS NULL
      ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT (SELECT count(*) FROM recent) + (SELECT count(*) FROM late)
    """)
  private static let addTypes = Statement(
    "import.noteTypes",
    """
    UPDATE devices d SET measured_types = (
      SELECT k.types || ARRAY(
        SELECT DISTINCT type FROM unnest($1::uuid[], $2::text[]) AS file (device, type)
        WHERE device = d.id AND type <> ALL (k.types) ORDER BY type)
      FROM (SELECT coalesce(d.measured_types, ARRAY(\(DeviceTypes.rows(of: "d.id"))))) AS k (types))
    WHERE d.id = ANY ($1)
    """)
  private static let insertHours = Statement(
    "import.hours",
    """
    INSERT INTO readings_1h AS old (device_id, sensor_type, start, min, max, sum, count)
    SELECT device, type, start, min(min), max(max), sum(sum), sum(count)::bigint
    FROM unnest(
      $1::uuid[], $2::text[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::int8[])
      AS h (device, type, start, min, max, sum, count)
    GROUP BY device, type, start
    \(BucketAdditions.onConflict)
    """)
}
