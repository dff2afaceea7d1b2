import Gardens
import JSON
import Values
import Web

/// The readings of one device as CSV (RFC 4180): a line with the columns' names, then a reading on each line.
struct HistoryTable {
  static let mediaType = "text/csv"
  private static let names = ["sensorType", "value", "measuredAt"]
  /// Every Unix time, in seconds or milliseconds, is below this: moments beyond the year 9999 have no text.
  private static let unixTimeEnd: Int64 = 100_000_000_000_000
  /// Spreadsheet programs begin files in UTF-8 with it.
  private static let byteOrderMark = Array("\u{FEFF}".utf8)

  /// What is wrong with a file that does not begin with the names.
  static let unnamed = Fault("", "must name the columns \(names.joined(separator: ","))")

  let device: DeviceIdentity
  /// The names of the columns in their order; empty until the first line was read.
  private var columns: [String] = []

  /// Whether the first line, with the names, was read.
  var hasNames: Bool { !columns.isEmpty }

  init(device: DeviceIdentity) { self.device = device }

  /// Returns a line as JSON, in the form that a reading has in an export; nil for the first line, which has the names.
  mutating func reading(_ line: [UInt8]) throws -> [UInt8]? {
    guard !columns.isEmpty else {
      // A fault in the names is reported once, not for every line behind, which may have faults of its own.
      columns = Self.names
      let names = try Self.values(line.starts(with: Self.byteOrderMark) ? line[Self.byteOrderMark.count...] : line[...])
      guard names.sorted() == Self.names.sorted() else { throw ValidationError([Self.unnamed]) }
      columns = names
      return nil
    }
    let values = try Self.values(line[...])
    guard values.count == columns.count else {
      throw ValidationError("", "must have \(columns.count) values")
    }
    var json = JSONWriter()
    json.object { json in
      json.member("deviceId", device.id)
      for (name, value) in zip(columns, values) {
        json.key(name)
        Self.write(value, of: name, &json)
      }
    }
    return json.take()
  }

  private static func values(_ line: ArraySlice<UInt8>) throws -> [String] {
    guard let text = String(validating: line, as: UTF8.self) else { throw ValidationError("", "is not UTF-8") }
    return text.split(separator: ",", omittingEmptySubsequences: false).map(unquoted)
  }

  /// Writes a number as a number and a Unix time as a timestamp; anything else as text, for the form to judge.
  private static func write(_ value: String, of name: String, _ json: inout JSONWriter) {
    switch name {
    case "value":
      if let number = Double(value), number.isFinite { return json.number(number) }
    case "measuredAt":
      // Without a sign: nothing is measured before 1970.
      if let time = Int64(digits: value), time < unixTimeEnd {
        return json.value(Timestamp(unixTime: time))
      }
    default: break
    }
    json.string(value)
  }

  /// Removes blanks and a pair of quotes around a value.
  private static func unquoted(_ text: Substring) -> String {
    let text = String(text.filter { $0 != "\r" && $0 != "\r\n" }).trimmingSpaces
    guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
    return String(text.dropFirst().dropLast())
  }
}
