import Postgres
import Values

/// The readings of several requests, in the order of their keys, as the parameters of one statement.
///
/// Every writer, on every replica, inserts in this order, so that two of them can never wait for each other; it also
/// keeps neighbours in the index together.
struct ReadingsBatch {
  /// One reading on its way; the submissions keep alive what it refers to.
  private struct Row {
    let device: Identifier
    unowned(unsafe) let type: SensorType
    let measuredAt: Timestamp
    let value: Double
    /// Where it came from: a submission of the batch, and a place among its readings.
    let submission: Int32
    let place: Int32
  }

  /// The span of the finest buckets, in milliseconds.
  static let bucketMilliseconds: Int64 = 300_000

  private var rows: [Row] = []
  private(set) var devices = ArrayBuilder<Identifier>()
  private(set) var types = ArrayBuilder<String>()
  private(set) var times = ArrayBuilder<Timestamp>()
  private(set) var values = ArrayBuilder<Double>()
  /// The buckets that the readings fall into, each once.
  private(set) var staleDevices = ArrayBuilder<Identifier>()
  private(set) var staleTypes = ArrayBuilder<String>()
  private(set) var staleStarts = ArrayBuilder<Timestamp>()

  var count: Int { rows.count }

  init(_ submissions: [ReadingsSubmission]) {
    let count = submissions.reduce(0) { $0 + $1.readings.count }
    rows.reserveCapacity(count)
    for (index, submission) in submissions.enumerated() {
      for (place, reading) in submission.readings.enumerated() {
        rows.append(
          Row(
            device: submission.device, type: reading.type, measuredAt: reading.measuredAt, value: reading.value,
            submission: Int32(index), place: Int32(place)))
      }
    }
    rows.sort(by: Self.precedes)
    devices = ArrayBuilder(reservingBytes: count * 20)
    types = ArrayBuilder(reservingBytes: count * 20)
    times = ArrayBuilder(reservingBytes: count * 12)
    values = ArrayBuilder(reservingBytes: count * 12)
    for (index, row) in rows.enumerated() { encode(row, after: index == 0 ? nil : rows[index - 1]) }
  }

  private mutating func encode(_ row: Row, after previous: Row?) {
    devices.append(row.device)
    types.append(utf8: row.type.utf8)
    times.append(row.measuredAt)
    values.append(row.value)
    let start = Self.bucket(row.measuredAt)
    if let previous, previous.device == row.device, previous.type.equals(row.type),
      Self.bucket(previous.measuredAt) == start
    {
      return
    }
    staleDevices.append(row.device)
    staleTypes.append(utf8: row.type.utf8)
    staleStarts.append(start)
  }

  private static func bucket(_ time: Timestamp) -> Timestamp {
    let number = time.unixMilliseconds.floorDivided(by: bucketMilliseconds)
    return Timestamp(unixMilliseconds: number * bucketMilliseconds)
  }

  private static func precedes(_ left: Row, _ right: Row) -> Bool {
    if left.device != right.device { return left.device < right.device }
    if left.type !== right.type {
      if left.type.precedes(right.type) { return true }
      if right.type.precedes(left.type) { return false }
    }
    if left.measuredAt != right.measuredAt { return left.measuredAt < right.measuredAt }
    return (left.submission, left.place) < (right.submission, right.place)
  }

  // MARK: Outcomes

  /// What the database holds under a key.
  struct Found {
    let value: Double
    /// Whether this batch has put it there.
    let isOurs: Bool
  }

  /// Tells each submission what became of its readings. `found` has what is stored for each row, in their order.
  ///
  /// Of several readings with one key the first is the one that was stored, if any of them was.
  func settle(_ submissions: [ReadingsSubmission], _ found: [Found?]) {
    for submission in submissions { submission.stored = StoredReadings() }
    for (index, row) in rows.enumerated() {
      let submission = submissions[Int(row.submission)]
      let reading = submission.readings[Int(row.place)]
      let isFirst = index == 0 || !Self.haveOneKey(rows[index - 1], row)
      // What is gone again was erased with its device in this very moment.
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

  private static func haveOneKey(_ left: Row, _ right: Row) -> Bool {
    left.measuredAt == right.measuredAt && left.device == right.device && left.type.equals(right.type)
  }
}
