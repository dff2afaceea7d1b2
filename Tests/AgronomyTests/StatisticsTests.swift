import Testing
import Values

@testable import Agronomy

@Suite("Statistics")
struct StatisticsTests {
  @Test(
    "finds the median of any count of numbers",
    arguments: [([], nil), ([4], 4), ([9, 1, 5], 5), ([4, 1, 3, 2], 2.5), ([1, 1, 1, 900], 1)] as [([Double], Double?)])
  func median(numbers: [Double], expected: Double?) {
    #expect(Statistics.median(numbers) == expected)
  }

  @Test("finds the slope of a line, and none at a single moment")
  func slope() throws {
    let start = Timestamp(unixMilliseconds: 1_700_000_000_000)
    let line = (0..<10).map { Point(start.advanced(byHours: Double($0) / 2), 7 - 1.5 * Double($0) / 2) }
    #expect(abs(try #require(Statistics.slopePerHour(line[...])) + 1.5) < 1e-9)
    #expect(Statistics.slopePerHour([Point(start, 1), Point(start, 5)]) == nil)
    #expect(Statistics.slopePerHour([Point(start, 1)]) == nil)
  }

  @Test(
    "computes dew points by the Magnus formula",
    arguments: [(20, 50, 9.26), (10, 80, 6.71), (0, 100, 0), (25, 30, 6.21), (-5, 70, -9.63)])
  func dewPoint(temperature: Double, humidity: Double, expected: Double) throws {
    let dewPoint = try #require(DewPoint.of(temperature: temperature, humidity: humidity))
    #expect(abs(dewPoint - expected) < 0.01)
  }

  @Test("finds no dew point for air without water")
  func dryAir() { #expect(DewPoint.of(temperature: 20, humidity: 0) == nil) }

  @Test(
    "rounds numbers for sentences",
    arguments: [
      (12.34, 1, "12.3"), (12, 1, "12"), (-0.04, 1, "0"), (0.456, 2, "0.46"), (1e300, 1, "1e+300"), (-3.25, 0, "-3"),
    ])
  func sentenceText(number: Double, places: Int, expected: String) {
    #expect(number.sentenceText(places: places) == expected)
  }
}
