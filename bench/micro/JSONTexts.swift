import JSON
import Values

extension Benchmark {
  /// JSON: from devices, scanned in place and read into a tree; to clients, written.
  static let json = [
    Benchmark("json-scan-10-readings", iterations: 1_000) {
      let bytes = Array(readings.utf8)
      return { count in
        for _ in 0..<count { precondition((try? scan(bytes)) == 10) }
      }
    },
    Benchmark("json-read-10-readings", iterations: 500) {
      let bytes = Array(readings.utf8)
      return { count in
        for _ in 0..<count { precondition((try? JSONReader.parse(bytes)) != nil) }
      }
    },
    Benchmark("json-write-garden", iterations: 5_000) {
      var length = 0
      return { count in
        for _ in 0..<count { length += garden().count }
        precondition(length > 0)
      }
    },
    Benchmark("json-write-288-buckets", iterations: 100) {
      var length = 0
      return { count in
        for _ in 0..<count { length += buckets().count }
        precondition(length > 0)
      }
    },
  ]

  private static let readings =
    #"{"readings":["#
    + (0..<10).map { index in
      #"{"sensorType":"soil_moisture","value":\#(20 + Double(index) / 2),"#
        + #""measuredAt":"2026-11-21T09:30:00.00\#(index)Z"}"#
    }.joined(separator: ",") + "]}"

  /// Reads the readings without building anything, and returns their number.
  private static func scan(_ bytes: [UInt8]) throws -> Int {
    try bytes.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      var count = 0
      guard try scanner.enterObject(), try scanner.nextMember() != nil, try scanner.enterArray() else { return -1 }
      while try scanner.nextElement() {
        guard try scanner.enterObject() else { return -1 }
        while let name = try scanner.nextMember() {
          if case "value" = name {
            guard try scanner.number() != nil else { return -1 }
          } else {
            guard try scanner.text() != nil else { return -1 }
          }
        }
        count += 1
      }
      return count
    }
  }

  private static let id = Identifier(high: 0x0193_A1F2_6C5E_7B1A, low: 0x9D3F_2A4B_6C8D_0E1F)
  private static let start = Timestamp(unixMilliseconds: 1_790_000_000_000)

  @inline(never) private static func garden() -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("id", id)
      json.member("ownerId", id)
      json.member("name", "Walled garden")
      json.key("location")
      json.object { json in
        json.member("latitude", 48.86)
        json.member("longitude", 2.35)
      }
      json.member("areaSquareMetres", 420.0)
      json.member("public", true)
      json.member("createdAt", start)
      json.member("updatedAt", start)
    }
    return json.take()
  }

  @inline(never) private static func buckets() -> [UInt8] {
    var json = JSONWriter()
    json.array { json in
      for index in 0..<288 {
        json.object { json in
          json.member("sensorType", "soil_moisture")
          json.member("start", start.advanced(byMilliseconds: Int64(index) * 300_000))
          json.member("min", 40 + Double(index % 97) / 10)
          json.member("max", 42 + Double(index % 89) / 10)
          json.member("mean", 41 + Double(index) / 7)
          json.member("count", Int64(5))
        }
      }
    }
    return json.take()
  }
}
