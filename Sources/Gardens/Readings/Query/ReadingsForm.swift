import JSON
import Values

/// One of the forms in which readings or buckets are written: what stands around the values.
struct ReadingsForm {
  static let json = "application/json"
  static let csv = "text/csv"
  /// What a client may choose from.
  static let mediaTypes = [json, csv]

  let mediaType: String
  /// What stands before the first item.
  private let head: String
  /// What stands before an item's sensor type, before each value behind it, and after the last one.
  let separators: [StaticString]
  /// What stands between two items.
  let between: StaticString
  /// What stands around the device of an item, where it is named.
  private let device: (before: StaticString, after: StaticString)?

  /// JSON, or CSV (RFC 4180) with the same columns, in which no value needs quotes.
  init(isCSV: Bool, isRaw: Bool, namesDevices: Bool) {
    let names = ["sensorType"] + (isRaw ? ["value", "measuredAt"] : ["start", "min", "max", "mean", "count"])
    if isCSV {
      mediaType = Self.csv
      head = ((namesDevices ? ["deviceId"] : []) + names).joined(separator: ",") + "\r\n"
      separators = [""] + Array(repeating: ",", count: names.count - 1) + ["\r\n"]
      between = ""
      device = namesDevices ? ("", ",") : nil
    } else {
      mediaType = Self.json
      head = #"{"items":["#
      let first: StaticString = namesDevices ? #","sensorType":""# : #"{"sensorType":""#
      let rest: [StaticString] =
        isRaw
        ? [#"","value":"#, #","measuredAt":""#, #""}"#]
        : [#"","start":""#, #"","min":"#, #","max":"#, #","mean":"#, #","count":"#, "}"]
      separators = [first] + rest
      between = ","
      device = namesDevices ? (#"{"deviceId":""#, "\"") : nil
    }
  }

  /// What stands before the sensor type of an item of a device.
  func lead(_ id: Identifier) -> [UInt8] {
    guard let device else { return [] }
    return Array("\(device.before)\(id)\(device.after)".utf8)
  }

  func appendHead(to bytes: inout [UInt8]) { bytes += head.utf8 }

  /// Appends what stands after the last item. JSON has the next page's cursor there; for CSV only the `Link` field has
  /// it.
  func appendEnd(nextCursor: String?, to bytes: inout [UInt8]) {
    guard mediaType == Self.json else { return }
    bytes.append(contentsOf: #"],"nextCursor":"#.utf8)
    bytes.append(contentsOf: JSONWriter.bytes(of: nextCursor))
    bytes.append(UInt8(ascii: "}"))
  }
}
