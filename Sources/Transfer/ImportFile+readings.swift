import Agronomy
import Gardens
import JSON
import Values
import Web

/// The lines of what devices have measured.
extension ImportFile {
  mutating func readReading(_ fields: inout Fields) throws {
    let device = names.read(.device, &fields)
    let type = sensorType(of: device, &fields)
    if let declared = history?.device.sensorTypes, !declared.isEmpty, !declared.contains(type) {
      fields.fault("sensorType", "is not one that the device declares")
    }
    let value = fields.required("value", Self.values(of: type))
    let measuredAt = fields.required("measuredAt", .timestamp)
    checkPast("measuredAt", measuredAt, &fields)
    try fields.finish()
    // A reading too old to stay raw counts into its hour; one of a history does so once the whole file is there.
    guard measuredAt < rawFrom, !isHistory else {
      return batch.readings.append(
        ImportBatch.Reading(device: device, sensorType: type, measuredAt: measuredAt, value: value))
    }
    batch.hours.append(
      ImportBatch.Hour(
        device: device, sensorType: type, start: measuredAt.roundedDown(to: Timestamp.millisecondsPerHour), min: value,
        max: value, sum: value, count: 1, isReading: true))
  }

  mutating func readHour(_ fields: inout Fields) throws {
    let device = names.read(.device, &fields)
    let type = sensorType(of: device, &fields)
    let start = fields.required("start", .timestamp)
    let min = fields.required("min", Self.values(of: type))
    let max = fields.required("max", Self.values(of: type))
    let sum = fields.required("sum", .number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude))
    let count = fields.required("count", .integer(1...1_000_000_000))
    if start.roundedDown(to: Timestamp.millisecondsPerHour) != start {
      fields.fault("start", "must be the beginning of an hour")
    }
    if min > max {
      fields.fault("max", "must not be less than min")
    } else if !Self.isMean(sum / Double(count), from: min, to: max) {
      fields.fault("sum", "must be count times a mean between min and max")
    }
    checkPast("start", start, &fields)
    try fields.finish()
    batch.hours.append(
      ImportBatch.Hour(
        device: device, sensorType: type, start: start, min: min, max: max, sum: sum, count: count, isReading: false))
  }

  /// Reads the sensor type of a line; a fault if its device has `DeviceTypes.maximumTypes` others already.
  private mutating func sensorType(of device: Identifier, _ fields: inout Fields) -> String {
    let type = fields.required("sensorType", .sensorType)
    let hash = type.hashValue
    // A line that names no known device has its fault already.
    guard let known = sensorTypes[device], !known.contains(hash) else { return type }
    if known.count < DeviceTypes.maximumTypes {
      sensorTypes[device] = known + [hash]
      batch.types.append(ImportBatch.MeasuredType(device: device, name: type))
    } else {
      fields.fault("sensorType", "is one more than the \(DeviceTypes.maximumTypes) that a device may have")
    }
    return type
  }

  /// Whether a mean lies within its bounds, but for the rounding errors of a long sum.
  private static func isMean(_ mean: Double, from min: Double, to max: Double) -> Bool {
    let slack = 1e-6 * Swift.max(abs(min), abs(max))
    return (min - slack...max + slack).contains(mean)
  }

  private static func values(of type: String) -> Rule<Double> {
    .number(KnownSensor(rawValue: type)?.range ?? Reading.values)
  }
}
