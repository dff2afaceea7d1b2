import Postgres
import Values
import Web

/// The columns of a page of readings or buckets, each with a value for every item.
struct ReadingsColumns {
  /// The names of the page's sensor types.
  let typeNames: [[UInt8]]
  /// Each item's index into `typeNames`; nil when there is only one type.
  let types: [Int64]?
  let times: [Timestamp]
  /// Single readings, or the means of buckets.
  let values: [Double]
  /// Empty for single readings, as are `maxima` and `counts`.
  let minima: [Double]
  let maxima: [Double]
  let counts: [Int64]
  private let isRaw: Bool

  /// Reads the row of a statement of `Resolution`; nil when it has no items.
  init?(_ row: Row, isRaw: Bool) throws {
    guard let times = try row.decode([Timestamp]?.self, 2) else { return nil }
    self.times = times
    self.isRaw = isRaw
    typeNames = try row.decode([String].self, 0).map { Array($0.utf8) }
    types = try row.decode([Int64]?.self, 1)
    values = try row.decode([Double].self, 3)
    minima = isRaw ? [] : try row.decode([Double].self, 4)
    maxima = isRaw ? [] : try row.decode([Double].self, 5)
    counts = isRaw ? [] : try row.decode([Int64].self, 6)
  }

  /// The name of an item's type.
  func type(_ position: Int) -> [UInt8] { typeNames[types.map { Int($0[position]) } ?? 0] }

  /// About the memory that they take: eight bytes for each value.
  var bytes: Int {
    8 * (times.count + values.count + minima.count + maxima.count + counts.count + (types?.count ?? 0))
  }

  /// The most bytes that `write` appends for an item: its type, and around it the separators, a device, a moment,
  /// three numbers and a count.
  var itemBytes: Int { 320 + (typeNames.map(\.count).max() ?? 0) }

  /// Writes an item, with the separators of a form around its values.
  func write(_ position: Int, _ lead: [UInt8], _ separators: [StaticString], to output: inout ByteCursor) {
    output.append(lead)
    output.append(separators[0])
    output.append(type(position))
    output.append(separators[1])
    if isRaw {
      output.appendDecimal(values[position])
      output.append(separators[2])
      output.append(times[position])
      output.append(separators[3])
    } else {
      output.append(times[position])
      output.append(separators[2])
      output.appendDecimal(minima[position])
      output.append(separators[3])
      output.appendDecimal(maxima[position])
      output.append(separators[4])
      output.appendDecimal(values[position])
      output.append(separators[5])
      output.appendDecimal(counts[position].magnitude)
      output.append(separators[6])
    }
  }
}

extension EntityTag.Digests {
  /// Adds all that a page shows of its columns.
  mutating func append(_ columns: ReadingsColumns) {
    for name in columns.typeNames { append(name) }
    append(columns.types ?? [])
    append(columns.times)
    append(columns.values)
    append(columns.minima)
    append(columns.maxima)
    append(columns.counts)
  }
}
