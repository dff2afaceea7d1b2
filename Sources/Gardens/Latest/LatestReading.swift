import Agronomy
import JSON
import Postgres
import Redis
import Values
import Web

/// The newest reading of one sensor of one device.
struct LatestReading {
  let series: ReadingSeries
  let measuredAt: Timestamp
  /// As JSON text.
  let value: [UInt8]

  init(series: ReadingSeries, measuredAt: Timestamp, value: Double) {
    self.series = series
    self.measuredAt = measuredAt
    self.value = JSONWriter.bytes(of: value)
  }

  /// Reads device_id, sensor_type, measured_at and value.
  init(_ row: Row) throws {
    let (device, type, measuredAt, value) = try row.decode(
      (Identifier.self, String.self, Timestamp.self, Double.self))
    self.init(series: ReadingSeries(device: device, type: type), measuredAt: measuredAt, value: value)
  }

  /// Reads a field of the hash, `DEVICE TYPE`, and what stands there, `MILLISECONDS VALUE`; nil for anything else.
  init?(field: [UInt8], content: [UInt8]) {
    let words = String(decoding: field, as: UTF8.self).split(separator: " ")
    guard words.count == 2, let device = Identifier(words[0]),
      let space = content.firstIndex(of: UInt8(ascii: " ")),
      let milliseconds = Int64(String(decoding: content[..<space], as: UTF8.self))
    else { return nil }
    series = ReadingSeries(device: device, type: String(words[1]))
    measuredAt = Timestamp(unixMilliseconds: milliseconds)
    value = Array(content[(space + 1)...])
  }

  /// The arguments that scripts take: field, time and value.
  var arguments: [RedisArgument] {
    [.text("\(series.device) \(series.type)"), .integer(measuredAt.unixMilliseconds), .bytes(value)]
  }

  func write(_ json: inout JSONWriter) {
    json.member("deviceId", series.device)
    json.member("sensorType", series.type)
    json.key("value")
    json.raw(value)
    json.member("unit", KnownSensor(rawValue: series.type)?.unit)
    json.member("measuredAt", measuredAt)
  }

  static let schema = Schema.named(
    "LatestReading",
    .object([
      .required("deviceId", .identifier), .required("sensorType", .string()), .required("value", .number()),
      .required("unit", .nullable(.string()), "Null for a sensor type that the server does not know, and for pH."),
      .required("measuredAt", .timestamp),
    ]),
    example: #"""
      {"deviceId":"019aa5c0-0000-7000-8000-000000000009","sensorType":"soil_moisture","value":31.5,"unit":"%",\#
      "measuredAt":"2026-11-21T09:30:00.000Z"}
      """#)
}
