import Gardens
import JSON
import Values
import Web

/// The readings of one device as CSV (RFC 4180): a line of names, and a reading on each line behind it.
struct HistoryTable {
  static let mediaType = "text/csv"
  private static let names = ["sensorType", "value", "measuredAt"]
  /// No Unix time is this long, in seconds or milliseconds: of a moment beyond the year 9999 there is no text.
  private static let unixTimeEnd: Int64 = 100_000_000_000_000
  /// Spreadsheets begin files in UTF-8 with it.
  private static let byteOrderMark = Array("\u{FEFF}".utf8)

  /// What is wrong with a file that does not begin with the names.
  static let unnamed = Fault("", "must name the columns \(names.joined(separator: ","))")

  let device: DeviceIdentity
  /// The names of the columns in their order; empty until they were read.
  private var columns: [String] = []

  /// Whether the line of names was there.
  var hasNames: Bool { !columns.isEmpty }

  init(device: DeviceIdentity) { self.device = device }

  /// A line as the export's line of a reading, in JSON; nil for that of the names, which comes first.
  mutating func reading(_ line: [UInt8]) throws -> [UInt8]? {
    guard !columns.isEmpty else {
      // What is wrong here is not to be wrong of each line behind, which may have faults of their own.
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

  /// A number stays one, and a Unix time becomes a moment; anything else is judged as the text that it is.
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

  /// Without blanks and a pair of quotes around it.
  private static func unquoted(_ text: Substring) -> String {
    let text = String(text.filter { $0 != "\r" && $0 != "\r\n" }).trimmingSpaces
    guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
    return String(text.dropFirst().dropLast())
  }
}
