import Agronomy
import Glibc
import StationYears
import Values

/// Fits the table of `FrostPrior` to the stations that the rules were developed on.
struct Fit {
  static let hours = [12.0, 15, 18, 21, 24, 27, 30]
  /// Warmer nights say little about frost.
  static let warmestCelsius = 10.0
  /// The number of earlier nights needed before a night is fitted, by its distance from their means.
  static let fewestNights = 20

  private struct Night {
    let features: [Double]
    let drop: Double
    let minimum: Double
  }

  static func table(_ stations: [StationYear]) -> String {
    hours.map { hour in
      let years = stations.map { nights($0, hour) }
      let cold = years.flatMap { $0 }.filter { $0.minimum < warmestCelsius }
      let count = NightFeatures.count
      let means = (0..<count).map { column in cold.reduce(0) { $0 + $1.features[column] } / Double(cold.count) }
      let drop = cold.reduce(0) { $0 + $1.drop } / Double(cold.count)
      var matrix = (0..<count).map { row in (0..<count).map { $0 == row ? 1e-6 : 0 } }
      var right = [Double](repeating: 0, count: count)
      let centred = years.flatMap(centred)
      for night in centred {
        for row in 0..<count {
          right[row] += night.features[row] * night.drop
          for column in 0..<count { matrix[row][column] += night.features[row] * night.features[column] }
        }
      }
      let slopes = LinearSystem.solution(&matrix, &right)
      let squares = centred.reduce(0.0) { sum, night in
        let error = night.drop - (0..<count).reduce(0) { $0 + slopes[$1] * night.features[$1] }
        return sum + error * error
      }
      func list(_ numbers: [Double]) -> String { "[" + numbers.map(Figure.digits).joined(separator: ", ") + "]" }
      return """
            FrostPrior(
              hour: \(Int(hour)), slopes: \(list(slopes)),
              means: \(list(means)), drop: \(Figure.digits(drop)),
              spread: \(Figure.digits(sqrt(squares / Double(centred.count))))),

        """
    }.joined()
  }

  private static func nights(_ station: StationYear, _ hour: Double) -> [Night] {
    let garden = YearGarden(station, seed: 1)
    let (air, humidity) = (garden.sensors[0], garden.sensors[1])
    let prior = FrostPrior.at(hour)
    return (2..<363).compactMap { day in
      guard let step = FrostEvaluation.step(station, day: day, hour: 33) else { return nil }
      let series = [air, humidity].map { $0.series(at: step, hours: 72, days: 0) }
      let nights = StationNights(series[0], humidity: series[1], longitude: station.longitude)
      let number = Int((Double(station.start.unixMilliseconds) / 86_400_000).rounded()) + day
      guard let features = nights.features(day: number, hour: hour), let drop = nights.drop(day: number, hour: hour)
      else { return nil }
      return Night(features: features.filled(by: prior), drop: drop, minimum: features.temperature + drop)
    }
  }

  /// Each night's distance from the means of the nights before it, weighted as the regression weights them.
  private static func centred(_ year: [Night]) -> [Night] {
    year.indices.dropFirst(fewestNights).filter { year[$0].minimum < warmestCelsius }.map { index in
      let before = year[max(0, index - StationNights.learnt)..<index]
      let weights = before.indices.map { StationNights.weight(index - $0) }
      let total = weights.reduce(0, +)
      func mean(_ value: (Night) -> Double) -> Double {
        zip(before, weights).reduce(0) { $0 + value($1.0) * $1.1 } / total
      }
      return Night(
        features: (0..<NightFeatures.count).map { column in year[index].features[column] - mean { $0.features[column] }
        },
        drop: year[index].drop - mean(\.drop), minimum: year[index].minimum)
    }
  }
}
