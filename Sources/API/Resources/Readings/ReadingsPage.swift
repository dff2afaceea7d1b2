import HTTP
import JSON
import Postgres
import Values

/// A page of readings or buckets, written piece by piece straight from the rows.
struct ReadingsPage {
  /// When a piece is sent, in bytes.
  private static let pieceBytes = 32 << 10

  let rows: Rows
  /// How many of the rows belong to the page.
  let count: Int
  let isRaw: Bool
  /// The end of the span, which the next page shares.
  let to: Timestamp

  /// The cursor of the next page; nil on the last one.
  func nextCursor(_ cursors: CursorSeal, list: String) throws -> String? {
    guard rows.count > count else { return nil }
    let (type, time) = try rows[count - 1].decode((String.self, Timestamp.self))
    var payload = CursorPayload()
    payload.append(time)
    payload.append(type)
    payload.append(to)
    return cursors.seal(payload, list: list)
  }

  /// What stands for the page in one of its forms: the rows as they came, with the one that tells of a next page. Made
  /// before the first piece is sent, and without the text that a client who has it already is not sent.
  func tag(as mediaType: String) -> EntityTag {
    var bytes = Array(mediaType.utf8)
    for row in rows {
      for column in 0..<(isRaw ? 3 : 6) {
        let cell = row[column].bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
        bytes.append(UInt8(truncatingIfNeeded: cell.count))
        bytes.append(contentsOf: cell)
      }
    }
    return EntityTag(of: bytes)
  }

  func writeJSON(_ writer: BodyWriter, nextCursor: String?) async throws {
    var json = JSONWriter()
    json.beginObject()
    json.key("items")
    json.beginArray()
    for position in 0..<count {
      try write(rows[position], to: &json)
      if json.bytes.count >= Self.pieceBytes { try await writer.write(json.takePiece()) }
    }
    json.endArray()
    json.member("nextCursor", nextCursor)
    json.endObject()
    try await writer.write(json.take())
  }

  private func write(_ row: Row, to json: inout JSONWriter) throws {
    let time = try row.decode(Timestamp.self, 1)
    json.beginObject()
    json.key("sensorType")
    json.plain(row[0].bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
    if isRaw {
      json.member("value", try row.decode(Double.self, 2))
      json.member("measuredAt", time)
    } else {
      json.member("start", time)
      json.member("min", try row.decode(Double.self, 2))
      json.member("max", try row.decode(Double.self, 3))
      json.member("mean", try row.decode(Double.self, 4))
      json.member("count", try row.decode(Int64.self, 5))
    }
    json.endObject()
  }

  /// Writes the same columns as CSV (RFC 4180). No value needs quotes.
  func writeCSV(_ writer: BodyWriter) async throws {
    var bytes = Array((isRaw ? "sensorType,value,measuredAt" : "sensorType,start,min,max,mean,count").utf8)
    bytes.append(contentsOf: Self.lineEnd)
    for position in 0..<count {
      try write(rows[position], to: &bytes)
      guard bytes.count >= Self.pieceBytes else { continue }
      try await writer.write(bytes)
      bytes.removeAll(keepingCapacity: true)
    }
    try await writer.write(bytes)
  }

  private func write(_ row: Row, to bytes: inout [UInt8]) throws {
    let comma = UInt8(ascii: ",")
    let time = try row.decode(Timestamp.self, 1)
    bytes.append(contentsOf: row[0].bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
    bytes.append(comma)
    if isRaw {
      bytes.appendDecimal(try row.decode(Double.self, 2))
      bytes.append(comma)
      time.appendText(to: &bytes)
    } else {
      time.appendText(to: &bytes)
      for column in 2...4 {
        bytes.append(comma)
        bytes.appendDecimal(try row.decode(Double.self, column))
      }
      bytes.append(comma)
      bytes.appendDecimal(try row.decode(Int64.self, 5))
    }
    bytes.append(contentsOf: Self.lineEnd)
  }

  private static let lineEnd: [UInt8] = [0x0D, 0x0A]
}
