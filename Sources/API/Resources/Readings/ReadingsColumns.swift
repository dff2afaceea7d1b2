import Postgres
import Values

/// The columns of a page of readings or buckets, each with a value for every item.
struct ReadingsColumns {
  /// The names of the page's sensor types.
  let typeNames: [[UInt8]]
  /// Which of them; nil when there is one.
  let types: [Int64]?
  let times: [Timestamp]
  let values: Values

  enum Values {
    case readings([Double])
    case buckets(min: [Double], max: [Double], mean: [Double], count: [Int64])
  }

  /// Takes the row that a statement of `Resolution` gave; nil when no items are in it.
  init?(_ row: Row, isRaw: Bool) throws {
    guard let times = try row.decode([Timestamp]?.self, 2) else { return nil }
    self.times = times
    typeNames = try row.decode([String].self, 0).map { Array($0.utf8) }
    types = try row.decode([Int64]?.self, 1)
    values =
      isRaw
      ? .readings(try row.decode([Double].self, 3))
      : .buckets(
        min: try row.decode([Double].self, 3), max: try row.decode([Double].self, 4),
        mean: try row.decode([Double].self, 5), count: try row.decode([Int64].self, 6))
  }

  /// The name of an item's type.
  func type(_ position: Int) -> [UInt8] { typeNames[types.map { Int($0[position]) } ?? 0] }

  /// The most bytes that `write` appends for an item: its type, and around it the separators, a moment, three numbers
  /// and a count.
  var itemBytes: Int { 256 + (typeNames.map(\.count).max() ?? 0) }

  /// Writes an item, with the separators of a form around its values.
  func write(_ position: Int, _ separators: [StaticString], to output: inout ByteCursor) {
    output.append(separators[0])
    output.append(type(position))
    output.append(separators[1])
    switch values {
    case .readings(let values):
      output.appendDecimal(values[position])
      output.append(separators[2])
      output.append(times[position])
      output.append(separators[3])
    case .buckets(let min, let max, let mean, let count):
      output.append(times[position])
      output.append(separators[2])
      output.appendDecimal(min[position])
      output.append(separators[3])
      output.appendDecimal(max[position])
      output.append(separators[4])
      output.appendDecimal(mean[position])
      output.append(separators[5])
      output.appendDecimal(count[position].magnitude)
      output.append(separators[6])
    }
  }
}
