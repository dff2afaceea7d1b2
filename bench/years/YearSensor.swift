import Agronomy
import Values

/// A sensor of a simulated garden: what it measured in a year, every ten minutes.
package struct YearSensor {
  package let device: Identifier
  package let name: String
  package let type: String
  package let start: Timestamp
  package var values: [Double]
  /// The sensor measures every `every` steps, beginning with step `from`.
  package var sends: (every: Int, from: Int) = (1, 0)
  /// The number of steps between the uploads in which its measurements arrive.
  package var uploadsEvery = 1

  /// A sensor of another device in the same place, which measures every `steps` steps.
  package func second(every steps: Int, from step: Int) -> YearSensor {
    YearSensor(
      device: Identifier(high: device.high + 1, low: device.low), name: "\(name) 2", type: type, start: start,
      values: values, sends: (steps, step))
  }

  /// The series that a rule sees at a step: points of `width` steps for the last `hours`, and hourly ones for `days`.
  package func series(at now: Int, hours: Int, every width: Int = 1, days: Int) -> SensorSeries {
    let step = now / uploadsEvery * uploadsEvery
    let points = buckets(max(0, step - hours * StationYear.stepsPerHour)...step, width)
    let past =
      days == 0 ? [] : buckets(max(0, step - days * 24 * StationYear.stepsPerHour)...step, StationYear.stepsPerHour)
    return SensorSeries(device: device, deviceName: name, sensorType: type, points: points, hours: past)
  }

  /// Buckets begin at whole multiples of their width, as the server's do.
  private func buckets(_ steps: ClosedRange<Int>, _ width: Int) -> [Point] {
    var (result, from): ([Point], Int) = ([], steps.lowerBound)
    while from <= steps.upperBound {
      let to = min((from / width + 1) * width, steps.upperBound + 1)
      let part = sends.every == 1 ? Array(values[from..<to]) : sent(from..<to)
      defer { from = to }
      if part.isEmpty { continue }
      result.append(
        Point(
          at: start.advanced(byMilliseconds: Int64(from / width * width) * StationYear.stepMilliseconds),
          mean: part.reduce(0, +) / Double(part.count), min: part.min()!, max: part.max()!, count: Int64(part.count)))
    }
    return result
  }

  private func sent(_ steps: Range<Int>) -> [Double] {
    steps.filter { ($0 - sends.from) % sends.every == 0 }.map { values[$0] }
  }
}
