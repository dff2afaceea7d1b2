import Agronomy
import Glibc
import TestSupport
import Values

/// A healthy garden under a station's weather: four devices of four sensors each, with noise, in beds of their own.
package struct YearGarden {
  package static let names = ["East bed", "North bed", "South bed", "West bed"]
  package static let soil = Soil.loam
  /// The dry hours after which a bed is watered, and the moisture that this restores.
  package static let hoursUntilWatered = 10.0
  package static let wateredPercent = 27.0

  package let station: StationYear
  package var sensors: [YearSensor] = []
  /// The steps at which a bed became dry.
  package private(set) var dryings: [Int] = []

  package init(_ station: StationYear, seed: UInt64) {
    self.station = station
    var random = SeededGenerator(seed: seed)
    for (index, name) in Self.names.enumerated() {
      let device = Identifier(high: 1, low: UInt64(index))
      func add(_ type: KnownSensor, _ values: [Double]) {
        sensors.append(
          YearSensor(device: device, name: name, type: type.rawValue, start: station.start, values: values))
      }
      add(.airTemperature, Self.air(station, place: index, &random))
      add(.airHumidity, Self.humidity(station, place: index, &random))
      add(.soilTemperature, Self.soilTemperature(station, place: index, &random))
      let (moisture, dryings) = Self.moisture(station, place: index, &random)
      add(.soilMoisture, moisture)
      self.dryings += dryings
    }
  }

  /// The same air temperatures, but one bed is in a greenhouse, which the sun warms equally every day, and the device
  /// of another sends all its measurements every four hours.
  package var mixedAir: [YearSensor] {
    var air = sensors.filter { $0.type == KnownSensor.airTemperature.rawValue }
    air[0].uploadsEvery = 4 * StationYear.stepsPerHour
    air[1].values = air[1].values.enumerated().map { step, value in
      let hour = Double(step) / Double(StationYear.stepsPerHour) + station.longitude / 15
      return value + 12 * max(0, sin(2 * .pi * (hour - 6) / 24))
    }
    return air
  }

  /// The air of a bed: always a few tenths from the station's, and warmer by degrees when the sun shines on it.
  private static func air(_ station: StationYear, place: Int, _ random: inout SeededGenerator) -> [Double] {
    let exposure = [0, 0.05, 0.12, 0.2][place]
    let bias = random.normal(0.3)
    return station.temperature.indices.map { step in
      let sun = max(0, station.temperature[step] - dayMean(station, step))
      return rounded(station.temperature[step] + bias + exposure * sun + random.normal(0.1), 0.01)
    }
  }

  private static func humidity(_ station: StationYear, place: Int, _ random: inout SeededGenerator) -> [Double] {
    let bias = random.normal(1.5)
    return station.humidity.map { rounded(min(100, max(0, $0 + bias + random.normal(0.6))), 0.1) }
  }

  /// The air temperature, smoothed over about half a day.
  private static func soilTemperature(
    _ station: StationYear, place: Int, _ random: inout SeededGenerator
  ) -> [Double] {
    var level = station.temperature[0]
    let share = 1 / (Double(StationYear.stepsPerHour) * 12)
    return station.temperature.map { air in
      level += share * (air - level)
      return rounded(level + Double(place) * 0.3 + random.normal(0.05), 0.01)
    }
  }

  /// Falls faster the warmer it is; the bed is watered after some dry hours.
  private static func moisture(
    _ station: StationYear, place: Int, _ random: inout SeededGenerator
  ) -> (values: [Double], dryings: [Int]) {
    let dry = MoistureLimits(soil).dryBelow
    let pace = [0.8, 0.9, 1.1, 1.3][place]
    var (level, dryHours, dryings) = (wateredPercent - Double(place), 0.0, [Int]())
    let values = station.temperature.enumerated().map { step, air in
      let loss = pace * (0.02 + 0.003 * max(0, air)) / Double(StationYear.stepsPerHour)
      level -= loss
      if level <= dry {
        if dryHours == 0 { dryings.append(step) }
        dryHours += 1 / Double(StationYear.stepsPerHour)
      }
      if dryHours >= hoursUntilWatered + Double(place) * 3 { (level, dryHours) = (wateredPercent - Double(place), 0) }
      return rounded(level + random.normal(0.15), 0.01)
    }
    return (values, dryings)
  }

  private static func dayMean(_ station: StationYear, _ step: Int) -> Double {
    let day = 24 * StationYear.stepsPerHour
    let from = step / day * day
    return station.temperature[from..<min(from + day, station.temperature.count)].reduce(0, +) / Double(day)
  }

  private static func rounded(_ value: Double, _ unit: Double) -> Double { (value / unit).rounded() * unit }
}
