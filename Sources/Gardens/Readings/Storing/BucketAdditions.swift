import Postgres
import Values

/// What readings add to buckets, as the parameters of one statement.
package struct BucketAdditions {
  private(set) var devices = ArrayBuilder<Identifier>()
  private(set) var types = ArrayBuilder<String>()
  private(set) var starts = ArrayBuilder<Timestamp>()
  private(set) var minima = ArrayBuilder<Double>()
  private(set) var maxima = ArrayBuilder<Double>()
  private(set) var sums = ArrayBuilder<Double>()
  private(set) var counts = ArrayBuilder<Int64>()

  /// The number of buckets that are added to.
  var count: Int { devices.count }

  /// Appends what is added to one bucket; `type` is UTF-8.
  mutating func append(_ device: Identifier, _ type: [UInt8], _ start: Timestamp, _ values: ValueSummary) {
    devices.append(device)
    types.append(utf8: type)
    starts.append(start)
    minima.append(values.min)
    maxima.append(values.max)
    sums.append(values.sum)
    counts.append(values.count)
  }

  /// The end of an INSERT into buckets, which calls their table `old`: those that are there already are added to.
  package static let onConflict = """
    ON CONFLICT (device_id, sensor_type, start) DO UPDATE
    SET min = least(old.min, excluded.min), max = greatest(old.max, excluded.max), sum = old.sum + excluded.sum,
      count = old.count + excluded.count
    """
}
