import Values

/// All that a rule may know of a garden.
package struct Observations {
  package var series: [SensorSeries]
  /// The moment for which the rule speaks.
  package let now: Timestamp
  /// Degrees east, which tell when the sun rises; where the garden has no place, the meridian of its time zone.
  package var longitude: Double
  package var clock: GardenClock
  /// The clocks of devices with a time zone of their own.
  package var clocks: [Identifier: GardenClock]
  /// The limits of each device's soil; a device without has the assumed soil.
  package var limits: [Identifier: MoistureLimits]
  package var silent: [SilentDevice]
  /// The garden's devices without those that were taken away.
  package var devices: Set<Identifier>
  /// How many of the garden's devices are not looked at.
  package var devicesLeftOut: Int
  /// The longest recent silence of each device that is heard of, in hours.
  package var longestSilences: [Identifier: Double]
  /// What the rule found before, as far back as it has to know it.
  package var said: [EarlierFinding]

  package init(
    series: [SensorSeries], now: Timestamp, longitude: Double? = nil, clock: GardenClock = .utc,
    clocks: [Identifier: GardenClock] = [:], limits: [Identifier: MoistureLimits] = [:], silent: [SilentDevice] = [],
    devices: Set<Identifier>? = nil, devicesLeftOut: Int = 0, longestSilences: [Identifier: Double] = [:],
    said: [EarlierFinding] = []
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

  /// The clock by which a device's times are told.
  func clock(of device: Identifier) -> GardenClock { clocks[device] ?? clock }

  /// The series of a type, in the order of `series`.
  package func of(_ sensor: KnownSensor) -> [SensorSeries] { series.filter { $0.sensorType == sensor.rawValue } }
}
