import Glibc
import Values

/// A weather station's year in steps of ten minutes, from the first of July, so that it has one whole winter.
package struct StationYear {
  package static let stepMilliseconds: Int64 = 600_000
  package static let stepsPerHour = 6
  /// The steps of 365 days; later hours are ignored.
  package static let steps = 365 * 24 * stepsPerHour

  package let name: String
  package let latitude: Double
  package let longitude: Double
  /// Whether the rules were developed on this station; otherwise they have never seen its data.
  package let isFitted: Bool
  package let start: Timestamp
  /// °C, and percent, without any noise.
  package let temperature: [Double]
  package let humidity: [Double]

  /// Reads a file of `scripts/stations`: a line about the station, then hours as seconds, °C and percent.
  package init(file: String) throws {
    let lines = try Text.lines(of: file)
    let head = lines[0].split(separator: ",").map(String.init)
    guard head.count == 4, let latitude = Double(head[1]), let longitude = Double(head[2]) else {
      throw Text.Failure(message: "\(file) does not begin with a station")
    }
    (name, self.latitude, self.longitude, isFitted) = (head[0], latitude, longitude, head[3] == "fitted")
    let hours = lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }.filter { $0.count == 3 }
    let july = Self.july(hours.map { $0[0] })
    let year = Double(Self.steps) * 600
    // The months before July are moved behind December.
    let rolled = (hours.map { $0[0] < july ? [$0[0] + year, $0[1], $0[2]] : $0 }).sorted { $0[0] < $1[0] }
    start = Timestamp(unixMilliseconds: Int64(july) * 1_000)
    temperature = Self.steps(of: rolled, 1, from: july)
    humidity = Self.steps(of: rolled, 2, from: july)
  }

  /// The first of July of the year of the middle hour, in Unix seconds.
  private static func july(_ seconds: [Double]) -> Double {
    let year = Timestamp(unixMilliseconds: Int64(seconds[seconds.count / 2]) * 1_000).description.prefix(4)
    return Double(Timestamp("\(year)-07-01T00:00:00Z")!.unixMilliseconds / 1_000)
  }

  private static func steps(of hours: [[Double]], _ column: Int, from start: Double) -> [Double] {
    var next = 0
    return (0..<steps).map { step in
      let time = start + Double(step) * 600
      while next < hours.count - 1, hours[next][0] < time { next += 1 }
      guard next > 0 else { return hours[0][column] }
      let (left, right) = (hours[next - 1], hours[next])
      let share = min(max((time - left[0]) / (right[0] - left[0]), 0), 1)
      return left[column] + share * (right[column] - left[column])
    }
  }

  package func time(_ step: Int) -> Timestamp { start.advanced(byMilliseconds: Int64(step) * Self.stepMilliseconds) }
}

/// Text files, without Foundation.
package enum Text {
  package struct Failure: Error {
    package let message: String; package init(message: String) { self.message = message }
  }

  package static func lines(of path: String) throws -> [Substring] {
    guard let file = fopen(path, "r") else { throw Failure(message: "\(path) cannot be read: run make insights-eval") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }
}
