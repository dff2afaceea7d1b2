import Postgres
import Values

/// The readings of several requests, in the order of their keys, as the parameters of one statement.
///
/// Every writer, on every replica, inserts in this order, so that no two of them can deadlock; it also keeps neighbours
/// in the index together.
struct ReadingsBatch {
  /// One reading in numbers alone, so that sorting thousands of them moves bytes and counts no references; the
  /// submissions keep alive what it refers to.
  private struct Row {
    let device: Identifier
    let type: Unmanaged<SensorType>
    let typePrefix: UInt64
    let milliseconds: Int64
    let value: Double
    /// The index of its submission in the batch, and its own among that one's readings.
    let submission: Int32
    let place: Int32

    init(_ device: Identifier, _ reading: Reading, submission: Int, place: Int) {
      self.device = device
      type = Unmanaged.passUnretained(reading.type)
      typePrefix = reading.type.prefix
      milliseconds = reading.measuredAt.unixMilliseconds
      value = reading.value
      self.submission = Int32(submission)
      self.place = Int32(place)
    }

    /// Whether both are of one device and type.
    @inline(__always)
    func isOfSeries(of other: Row) -> Bool {
      device.low == other.device.low && device.high == other.device.high && hasType(of: other)
    }

    @inline(__always)
    private func hasType(of other: Row) -> Bool {
      if typePrefix != other.typePrefix { return false }
      if type.toOpaque() == other.type.toOpaque() { return true }
      return type.takeUnretainedValue().equals(other.type.takeUnretainedValue())
    }

    @inline(__always)
    func precedes(_ other: Row) -> Bool {
      if device.high != other.device.high { return device.high < other.device.high }
      if device.low != other.device.low { return device.low < other.device.low }
      if typePrefix != other.typePrefix { return typePrefix < other.typePrefix }
      if !hasType(of: other) { return type.takeUnretainedValue().precedes(other.type.takeUnretainedValue()) }
      if milliseconds != other.milliseconds { return milliseconds < other.milliseconds }
      if submission != other.submission { return submission < other.submission }
      return place < other.place
    }

    /// The number of the bucket it falls into.
    @inline(__always)
    var bucket: Int64 { milliseconds.floorDivided(by: bucketMilliseconds) }
  }

  /// The span of the finest buckets, in milliseconds.
  static let bucketMilliseconds: Int64 = 300_000

  private var rows: [Row] = []
  private(set) var devices = ArrayBuilder<Identifier>()
  private(set) var types = ArrayBuilder<String>()
  private(set) var times = ArrayBuilder<Timestamp>()
  private(set) var values = ArrayBuilder<Double>()
  /// What the readings add to their buckets, if all of them are new.
  private(set) var additions = BucketAdditions()

  var count: Int { rows.count }
  /// Whether two of its readings have the same key.
  private(set) var repeatsItself = false

  init(_ submissions: [ReadingsSubmission]) {
    let count = submissions.reduce(0) { $0 + $1.readings.count }
    rows.reserveCapacity(count)
    for (index, submission) in submissions.enumerated() {
      for (place, reading) in submission.readings.enumerated() {
        rows.append(Row(submission.device, reading, submission: index, place: place))
      }
    }
    rows.sort { $0.precedes($1) }
    devices = ArrayBuilder(reservingBytes: count * 20)
    types = ArrayBuilder(reservingBytes: count * 20)
    times = ArrayBuilder(reservingBytes: count * 12)
    values = ArrayBuilder(reservingBytes: count * 12)
    var summary = ValueSummary()
    for (index, row) in rows.enumerated() {
      encode(row)
      summary.add(row.value)
      if index + 1 < rows.count, rows[index + 1].bucket == row.bucket, rows[index + 1].isOfSeries(of: row) {
        if rows[index + 1].milliseconds == row.milliseconds { repeatsItself = true }
      } else {
        let start = Timestamp(unixMilliseconds: row.bucket * Self.bucketMilliseconds)
        additions.append(row.device, row.type.takeUnretainedValue().utf8, start, summary)
        summary = ValueSummary()
      }
    }
  }

  private mutating func encode(_ row: Row) {
    devices.append(row.device)
    types.append(utf8: row.type.takeUnretainedValue().utf8)
    times.append(Timestamp(unixMilliseconds: row.milliseconds))
    values.append(row.value)
  }

  // MARK: Outcomes

  /// What the database holds under a key.
  struct Found {
    let value: Double
    /// Whether this batch has stored it.
    let isOurs: Bool

    /// Reads a value and the transaction that stored it; nil where nothing is stored. Without `transaction`, that of
    /// this batch, whatever is stored counts as ours.
    init?(_ row: Postgres.Row, transaction: Int64?) throws(PostgresError) {
      guard let value = try row.decode(Double?.self, 0) else { return nil }
      self.value = value
      let writer = try row.decode(Int64.self, 1)
      // A row has only the lower half of the number.
      isOurs = transaction.map { $0 & 0xFFFF_FFFF == writer } ?? true
    }
  }

  /// Tells each submission that all of its readings were new.
  func acceptAll(_ submissions: [ReadingsSubmission]) {
    for submission in submissions { submission.stored.accepted = submission.readings }
  }

  /// Reads what is stored for each reading of the batch, in their order.
  func found(_ rows: Rows, transaction: Int64?) throws(PostgresError) -> [Found?] {
    var found: [Found?] = []
    found.reserveCapacity(rows.count)
    for row in rows { found.append(try Found(row, transaction: transaction)) }
    return found
  }

  /// Tells each submission what became of its readings. `found` has what is stored for each row, in their order.
  ///
  /// Of several readings with one key the first is the one that was stored, if any of them was.
  func settle(_ submissions: [ReadingsSubmission], _ found: [Found?]) {
    for submission in submissions { submission.stored = StoredReadings() }
    for (index, row) in rows.enumerated() {
      let submission = submissions[Int(row.submission)]
      let reading = submission.readings[Int(row.place)]
      let previous = index == 0 ? nil : rows[index - 1]
      let isFirst = previous.map { $0.milliseconds != row.milliseconds || !$0.isOfSeries(of: row) } ?? true
      // A reading that is gone again was erased with its device at this very moment.
      guard let found = found[index] else {
        submission.stored.duplicates.append(reading)
        continue
      }
      if found.value != row.value {
        submission.stored.conflicts.append(reading)
      } else if found.isOurs && isFirst {
        submission.stored.accepted.append(reading)
      } else {
        submission.stored.duplicates.append(reading)
      }
    }
  }
}
