/// How cold nights become in general, as seen from an hour of the evening or night.
///
/// A linear regression of the night's minimum on what a station measures, as Allen (1957) made it for single places and
/// FAO describes it for two hours after sunset (Snyder and de Melo-Abreu, 2005, Frost Protection, volume 1, chapter 5).
/// Fitted by `make insights-eval` with `fit`, on the stations that docs/insights.md names.
package struct FrostPrior: Sendable {
  /// The hour of the night for which it holds; see `SolarNight`.
  package let hour: Double
  /// °C by the unit of each feature of `NightFeatures`.
  package let slopes: [Double]
  /// The usual values of the features.
  package let means: [Double]
  /// How much colder it usually becomes, in °C; negative.
  package let drop: Double
  /// The standard deviation of a forecast's error, in °C.
  package let spread: Double

  package init(hour: Double, slopes: [Double], means: [Double], drop: Double, spread: Double) {
    self.hour = hour
    self.slopes = slopes
    self.means = means
    self.drop = drop
    self.spread = spread
  }

  /// How far the features usually are from their means, which makes them comparable.
  package static let spreads = [4, 4.6, 2, 1.1, 3, 4.3, 6.4]

  /// The prior for an hour, by straight lines between the hours of the table.
  package static func at(_ hour: Double) -> FrostPrior {
    guard let next = table.firstIndex(where: { $0.hour >= hour }) else { return table[table.count - 1] }
    guard next > 0 else { return table[0] }
    let (left, right) = (table[next - 1], table[next])
    let share = (hour - left.hour) / (right.hour - left.hour)
    func between(_ a: Double, _ b: Double) -> Double { a + share * (b - a) }
    return FrostPrior(
      hour: hour, slopes: zip(left.slopes, right.slopes).map(between), means: zip(left.means, right.means).map(between),
      drop: between(left.drop, right.drop), spread: between(left.spread, right.spread))
  }

  static let table: [FrostPrior] = [
    FrostPrior(
      hour: 12, slopes: [-0.08, 0.02, -0.74, -0.17, 0.10, -0.11, -0.22],
      means: [11.15, -0.18, 0.15, 1.89, -0.04, 8.39, 7.64], drop: -8.76,
      spread: 3.25),
    FrostPrior(
      hour: 15, slopes: [-0.10, 0.04, -0.02, 0.04, 0.23, -0.23, -0.17],
      means: [11.91, -0.16, 0.65, 0.14, 0.21, 9.36, 8.61], drop: -9.65,
      spread: 3.10),
    FrostPrior(
      hour: 18, slopes: [-0.15, 0.04, 0.22, 0.55, 0.25, -0.13, -0.13],
      means: [8.23, -0.17, 4.07, -2.55, 0.69, 6.14, 5.40], drop: -6.43,
      spread: 2.61),
    FrostPrior(
      hour: 21, slopes: [-0.17, 0.00, -0.02, 0.42, 0.18, -0.02, -0.09],
      means: [5.99, -0.24, 6.35, -1.28, 0.42, 3.86, 3.11], drop: -4.12,
      spread: 2.16),
    FrostPrior(
      hour: 24, slopes: [-0.12, -0.06, -0.02, 0.35, 0.14, 0.07, -0.04],
      means: [4.74, -0.31, 8.00, -0.92, -0.42, 2.22, 1.45], drop: -2.47,
      spread: 1.60),
    FrostPrior(
      hour: 27, slopes: [-0.07, -0.02, 0.00, 0.18, 0.10, 0.04, -0.01],
      means: [3.97, -0.32, 9.15, -0.60, -0.75, 1.07, 0.29], drop: -1.23,
      spread: 1.05),
    FrostPrior(
      hour: 30, slopes: [-0.02, 0.00, 0.01, 0.09, 0.01, -0.01, 0.00],
      means: [3.75, -0.37, 9.23, 0.03, -0.58, 0.70, -0.58], drop: -0.26,
      spread: 0.35),
  ]
}
