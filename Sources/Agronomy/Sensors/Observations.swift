import Values

/// What was measured about one moment: a reading, or all readings of a short time together.
package struct Point: Equatable {
  /// When that time began.
  package let at: Timestamp
  package let mean: Double
  package let min: Double
  package let max: Double
  package let count: Int64

  package init(at: Timestamp, mean: Double, min: Double, max: Double, count: Int64) {
    self.at = at
    self.mean = mean
    self.min = min
    self.max = max
    self.count = count
  }

  /// A single reading.
  package init(_ at: Timestamp, _ value: Double) { self.init(at: at, mean: value, min: value, max: value, count: 1) }

  /// Whether all its readings were the same.
  var isFlat: Bool { min == max }
}

/// The points of one sensor of one device, ascending by time and never empty.
package struct SensorSeries {
  package let device: Identifier
  package let deviceName: String
  package let sensorType: String
  package let points: [Point]
  /// The hours before and under them, as far as a rule looks back; empty where none does.
  package let hours: [Point]

  package init(
    device: Identifier, deviceName: String, sensorType: String, points: [Point], hours: [Point] = []
  ) {
    self.device = device
    self.deviceName = deviceName
    self.sensorType = sensorType
    self.points = points
    self.hours = hours
  }

  package var newest: Point { points[points.count - 1] }

  /// The unit of its values as a sentence has it, with the space before it; empty when nobody knows it.
  package var unit: String { (KnownSensor(rawValue: sensorType)?.unit).map { $0 == "%" ? " %" : " \($0)" } ?? "" }
}

/// A device that has not been heard of for longer than is usual for it.
package struct SilentDevice {
  package let device: Identifier
  package let name: String
  package let seenAt: Timestamp

  package init(device: Identifier, name: String, seenAt: Timestamp) {
    self.device = device
    self.name = name
    self.seenAt = seenAt
  }
}

/// All that a rule may know of a garden.
package struct Observations {
  package var series: [SensorSeries]
  /// The moment for which the rule speaks.
  package let now: Timestamp
  /// Degrees east, which tell when the sun rises: those of the zone where the garden does not say where it is.
  package var longitude: Double
  package var clock: GardenClock
  /// Those of devices with a time zone of their own.
  package var clocks: [Identifier: GardenClock]
  /// What says of each device when its soil is dry; those that are not named are judged by the assumed soil.
  package var limits: [Identifier: MoistureLimits]
  package var silent: [SilentDevice]
  /// The garden's devices without those that were taken away.
  package var devices: Set<Identifier>
  /// How many devices the garden has that are not looked at.
  package var devicesLeftOut: Int
  /// Of the devices that are heard of, the longest of their silences of late, in hours.
  package var longestSilences: [Identifier: Double]
  /// What was said since; see `Said`.
  package var said: [Said]

  package init(
    series: [SensorSeries], now: Timestamp, longitude: Double? = nil, clock: GardenClock = .utc,
    clocks: [Identifier: GardenClock] = [:], limits: [Identifier: MoistureLimits] = [:], silent: [SilentDevice] = [],
    devices: Set<Identifier>? = nil, devicesLeftOut: Int = 0, longestSilences: [Identifier: Double] = [:],
    said: [Said] = []
  ) {
    self.series = series
    self.now = now
    self.longitude = longitude ?? clock.meridian
    self.clock = clock
    self.clocks = clocks
    self.limits = limits
    self.silent = silent
    self.devices = devices ?? Set(series.map(\.device) + silent.map(\.device))
    self.devicesLeftOut = devicesLeftOut
    self.longestSilences = longestSilences
    self.said = said
  }

  /// By which the times of a device are told.
  func clock(of device: Identifier) -> GardenClock { clocks[device] ?? clock }

  /// The series of a type, in the order of `series`.
  package func of(_ sensor: KnownSensor) -> [SensorSeries] { series.filter { $0.sensorType == sensor.rawValue } }
}
