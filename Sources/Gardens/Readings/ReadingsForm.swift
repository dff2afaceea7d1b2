import JSON

/// One of the forms in which pages of readings or buckets are written: what stands around the values.
struct ReadingsForm {
  let mediaType: String
  /// What stands before the first item.
  private let head: StaticString
  /// What stands before each value of an item, and after the last one.
  let separators: [StaticString]
  /// What stands between two items.
  let between: StaticString

  static func json(isRaw: Bool) -> ReadingsForm { isRaw ? jsonReadings : jsonBuckets }

  /// CSV (RFC 4180) with the same columns; no value needs quotes.
  static func csv(isRaw: Bool) -> ReadingsForm { isRaw ? csvReadings : csvBuckets }

  func appendHead(to bytes: inout [UInt8]) {
    head.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Appends what stands after the last item. Only JSON tells the next page; of CSV the Link field does.
  func appendEnd(nextCursor: String?, to bytes: inout [UInt8]) {
    guard mediaType == Readings.document else { return }
    bytes.append(contentsOf: #"],"nextCursor":"#.utf8)
    bytes.append(contentsOf: JSONWriter.bytes(of: nextCursor))
    bytes.append(UInt8(ascii: "}"))
  }

  private static let jsonReadings = ReadingsForm(
    mediaType: Readings.document, head: #"{"items":["#,
    separators: [#"{"sensorType":""#, #"","value":"#, #","measuredAt":""#, #""}"#], between: ",")
  private static let jsonBuckets = ReadingsForm(
    mediaType: Readings.document, head: #"{"items":["#,
    separators: [
      #"{"sensorType":""#, #"","start":""#, #"","min":"#, #","max":"#, #","mean":"#, #","count":"#, "}",
    ], between: ",")
  private static let csvReadings = ReadingsForm(
    mediaType: Readings.table, head: "sensorType,value,measuredAt\r\n", separators: ["", ",", ",", "\r\n"],
    between: "")
  private static let csvBuckets = ReadingsForm(
    mediaType: Readings.table, head: "sensorType,start,min,max,mean,count\r\n",
    separators: ["", ",", ",", ",", ",", ",", "\r\n"], between: "")
}
