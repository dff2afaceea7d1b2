import Values

@testable import Gardens

/// The tables of readings as the simulated store keeps them, and what the writer's statements do to them.
struct StoredTable {
  struct Key: Hashable {
    let device: Identifier
    let type: String
    /// Microseconds from the beginning of 2000, as the server counts.
    let microseconds: Int64
  }

  struct Row {
    let value: Double
    let transaction: Int64
  }

  struct Bucket: Hashable {
    let device: Identifier
    let type: String
    let microseconds: Int64
  }

  private(set) var rows: [Key: Row] = [:]
  /// The number of readings in each bucket, as the statements added them.
  private(set) var counted: [Bucket: Int64] = [:]
  private var transaction: Int64 = 700

  /// The number of rows in each bucket: equal to `counted`, unless a reading was counted twice or forgotten.
  var countable: [Bucket: Int64] {
    rows.keys.reduce(into: [:]) { $0[Self.bucket(of: $1), default: 0] += 1 }
  }

  private static func bucket(of key: Key) -> Bucket {
    let span = ReadingsBatch.bucketMilliseconds * 1_000
    return Bucket(
      device: key.device, type: key.type, microseconds: key.microseconds.floorDivided(by: span) * span)
  }

  /// Runs `readings.insertNew`; returns false, and changes nothing, if a key is there already or occurs twice.
  mutating func insertNew(_ parameters: [ArraySlice<UInt8>?]) -> Bool {
    let (keys, values) = Self.readings(parameters)
    guard Set(keys).count == keys.count, !keys.contains(where: { rows[$0] != nil }) else { return false }
    transaction += 1
    for (key, value) in zip(keys, values) { rows[key] = Row(value: value, transaction: transaction) }
    let (devices, types) = (Self.identifiers(parameters[4]), Self.texts(parameters[5]))
    let (starts, counts) = (Self.numbers(parameters[6]), Self.numbers(parameters[10]))
    for index in devices.indices {
      counted[Bucket(device: devices[index], type: types[index], microseconds: starts[index]), default: 0] +=
        counts[index]
    }
    return true
  }

  /// Runs `readings.insert`; returns how many readings were new, and the transaction's number.
  mutating func insert(_ parameters: [ArraySlice<UInt8>?]) -> (fresh: Int64, transaction: Int64) {
    transaction += 1
    var fresh: Int64 = 0
    let (keys, values) = Self.readings(parameters)
    for (key, value) in zip(keys, values) where rows[key] == nil {
      rows[key] = Row(value: value, transaction: transaction)
      counted[Self.bucket(of: key), default: 0] += 1
      fresh += 1
    }
    return (fresh, transaction)
  }

  /// Runs `readings.find`.
  func find(_ parameters: [ArraySlice<UInt8>?]) -> [Row?] { Self.keys(parameters).map { rows[$0] } }

  /// The values of readings among a statement's parameters; empty for a statement without them.
  static func values(_ parameters: [ArraySlice<UInt8>?]) -> [Double] {
    parameters.count > 3 ? readings(parameters).values : []
  }

  // MARK: Parameters

  private static func keys(_ parameters: [ArraySlice<UInt8>?]) -> [Key] {
    let (devices, types, times) = (identifiers(parameters[0]), texts(parameters[1]), numbers(parameters[2]))
    return devices.indices.map { Key(device: devices[$0], type: types[$0], microseconds: times[$0]) }
  }

  private static func readings(_ parameters: [ArraySlice<UInt8>?]) -> (keys: [Key], values: [Double]) {
    (keys(parameters), numbers(parameters[3]).map { Double(bitPattern: UInt64(bitPattern: $0)) })
  }

  private static func identifiers(_ array: ArraySlice<UInt8>?) -> [Identifier] {
    WireReader.elements(array).map {
      var reader = WireReader($0)
      return Identifier(high: reader.number(UInt64.self), low: reader.number(UInt64.self))
    }
  }

  private static func texts(_ array: ArraySlice<UInt8>?) -> [String] {
    WireReader.elements(array).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func numbers(_ array: ArraySlice<UInt8>?) -> [Int64] {
    WireReader.elements(array).map {
      var reader = WireReader($0)
      return reader.number(Int64.self)
    }
  }
}
