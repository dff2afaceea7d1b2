import Glibc

/// A linear regression that begins with what is known of nights in general and learns a station's own.
///
/// Ridge regression towards the prior's slopes, about means that are averaged with the prior's: without nights of its
/// own it forecasts as the prior does, with many it is the station's least squares.
struct NightRegression {
  /// How many nights the prior's means weigh, and how many its spread.
  static let meanNights = 3.0
  static let spreadNights = 10.0
  /// How many nights, each as far from the mean as is usual, the prior's slopes weigh.
  static let slopeNights = 10.0

  let prior: FrostPrior
  private var nights: [(features: [Double], drop: Double, weight: Double)] = []

  init(_ prior: FrostPrior) { self.prior = prior }

  mutating func learn(_ features: [Double], drop: Double, weight: Double) { nights.append((features, drop, weight)) }

  /// Forecasts how much colder the air becomes, negative, and the standard deviation of the error, in °C.
  func forecast(_ features: [Double]) -> (drop: Double, spread: Double) {
    let weight = nights.reduce(0) { $0 + $1.weight }
    let means = features.indices.map { column in
      nights.reduce(Self.meanNights * prior.means[column]) { $0 + $1.weight * $1.features[column] }
        / (Self.meanNights + weight)
    }
    let mean = nights.reduce(Self.meanNights * prior.drop) { $0 + $1.weight * $1.drop } / (Self.meanNights + weight)
    let slopes = slopes(means, mean)
    let squares = nights.reduce(0) { sum, night in
      let error = night.drop - mean - product(slopes, night.features, means)
      return sum + night.weight * error * error
    }
    let variance = (squares + Self.spreadNights * prior.spread * prior.spread) / (weight + Self.spreadNights)
    return (mean + product(slopes, features, means), sqrt(variance))
  }

  private func product(_ slopes: [Double], _ features: [Double], _ means: [Double]) -> Double {
    slopes.indices.reduce(0) { $0 + slopes[$1] * (features[$1] - means[$1]) }
  }

  private func slopes(_ means: [Double], _ mean: Double) -> [Double] {
    let count = means.count
    var matrix = (0..<count).map { row in
      (0..<count).map { $0 == row ? Self.slopeNights * FrostPrior.spreads[row] * FrostPrior.spreads[row] : 0 }
    }
    var right = [Double](repeating: 0, count: count)
    for night in nights {
      let centred = (0..<count).map { night.features[$0] - means[$0] }
      let error = night.drop - mean - product(prior.slopes, night.features, means)
      for row in 0..<count {
        right[row] += night.weight * centred[row] * error
        for column in 0..<count { matrix[row][column] += night.weight * centred[row] * centred[column] }
      }
    }
    let change = LinearSystem.solution(&matrix, &right)
    return (0..<count).map { prior.slopes[$0] + change[$0] }
  }
}

/// Systems of as many linear equations as unknowns.
package enum LinearSystem {
  /// Returns the solution for a positive definite matrix, by elimination, which overwrites both arguments.
  package static func solution(_ matrix: inout [[Double]], _ right: inout [Double]) -> [Double] {
    let count = right.count
    for pivot in 0..<count {
      for row in pivot + 1..<count {
        let factor = matrix[row][pivot] / matrix[pivot][pivot]
        for column in pivot..<count { matrix[row][column] -= factor * matrix[pivot][column] }
        right[row] -= factor * right[pivot]
      }
    }
    var result = right
    for row in (0..<count).reversed() {
      for column in row + 1..<count { result[row] -= matrix[row][column] * result[column] }
      result[row] /= matrix[row][row]
    }
    return result
  }
}
