import JSON
import Values

/// The week in a few sentences: what each kind of sensor measured, how it changed, and which devices need a look.
package enum SummaryRule {
  /// How far back the rule looks, in hours.
  package static let windowHours: Int64 = 168
  /// A battery below this needs a look, in percent.
  static let lowBatteryPercent = 20.0
  /// The most kinds of sensor that the text speaks of; the evidence has them all.
  static let maximumSentences = 5

  /// What all sensors of one kind measured.
  struct Measure {
    let sensorType: String
    let min: Double
    let mean: Double
    let max: Double
    let count: Int64
    /// How many sensors of the kind there are.
    let sensors: Int
    /// By how much the last day's mean is above the first's, on average over the sensors that measured on both; nil
    /// without any.
    let change: Double?
  }

  /// Returns the finding; nil when nothing was measured in the week.
  package static func finding(_ observations: Observations) -> Finding? {
    guard !observations.series.isEmpty else { return nil }
    let measures = Dictionary(grouping: observations.series, by: \.sensorType)
      .map { measure($0, $1, observations.now) }
      .sorted { (order($0.sensorType), $0.sensorType) < (order($1.sensorType), $1.sensorType) }
    let devices = Dictionary(grouping: observations.series, by: \.device)
    let silent = observations.silent.map(\.name).sorted()
    let weak = observations.of(.battery).filter { $0.newest.mean < lowBatteryPercent }.map(\.deviceName).sorted()
    let readings = measures.reduce(0) { $0 + $1.count }
    var sentences = [
      "In the last seven days \(count(devices.count, "device")) sent \(count(Int(readings), "reading"))."
    ]
    sentences += measures.prefix(maximumSentences).map(sentence)
    if !silent.isEmpty { sentences.append("Silent: \(Finding.list(silent)).") }
    if !weak.isEmpty { sentences.append("Low on battery: \(Finding.list(weak)).") }
    return Finding(
      silent.isEmpty && weak.isEmpty ? .info : .notice, "The week in the garden", sentences.joined(separator: " "),
      devicesLeftOut: observations.devicesLeftOut
    ) { json in
      json.member("from", observations.now.advanced(byHours: -Double(windowHours)))
      json.member("to", observations.now)
      json.member("devices", devices.count)
      json.member("readings", readings)
      json.member("silentDevices", silent)
      json.member("lowBatteryDevices", weak)
      json.key("sensors")
      json.array { json in for measure in measures { json.object { write(measure, &$0) } } }
    }
  }

  /// Puts the days of several sensors of one kind together.
  private static func measure(_ sensorType: String, _ series: [SensorSeries], _ now: Timestamp) -> Measure {
    let points = series.flatMap(\.points)
    let count = points.reduce(0) { $0 + $1.count }
    return Measure(
      sensorType: sensorType, min: points.map(\.min).min()!, mean: mean(points), max: points.map(\.max).max()!,
      count: count, sensors: series.count, change: change(series, now))
  }

  /// The mean change from the first day to the last. Both are whole days, so that the hour of asking is no matter, and
  /// each sensor is compared with itself, so that one that came or went within the week has changed nothing.
  private static func change(_ series: [SensorSeries], _ now: Timestamp) -> Double? {
    let (firstEnd, lastStart) = (now.advanced(byHours: 24 - Double(windowHours)), now.advanced(byHours: -24))
    let changes = series.compactMap { sensor -> Double? in
      let (first, last) = (sensor.points.filter { $0.at <= firstEnd }, sensor.points.filter { $0.at > lastStart })
      return first.isEmpty || last.isEmpty ? nil : mean(last) - mean(first)
    }
    return changes.isEmpty ? nil : changes.reduce(0, +) / Double(changes.count)
  }

  /// The mean of all readings in some points.
  private static func mean(_ points: [Point]) -> Double {
    let count = points.reduce(0) { $0 + $1.count }
    return points.reduce(0) { $0 + $1.mean * Double($1.count) } / Double(count)
  }

  /// Known kinds come first, in the order in which growers look at them.
  private static func order(_ sensorType: String) -> Int {
    KnownSensor(rawValue: sensorType).flatMap(KnownSensor.allCases.firstIndex(of:)) ?? KnownSensor.allCases.count
  }

  private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  private static func sentence(_ measure: Measure) -> String {
    let known = KnownSensor(rawValue: measure.sensorType)
    let unit = known?.sentenceUnit ?? ""
    let name = measure.sensorType.replacing("_", with: " ")
    let subject = name.prefix(1).uppercased() + name.dropFirst()
    if known == .rain {
      let total = measure.mean * Double(measure.count) / Double(measure.sensors)
      return "Rain added up to \(total.sentenceText()) mm."
    }
    var text =
      "\(subject) was between \(measure.min.sentenceText()) and \(measure.max.sentenceText())\(unit), "
      + "\(measure.mean.sentenceText())\(unit) on average"
    if let change = measure.change?.rounded(places: 1), change != 0 {
      text += ", and \(change > 0 ? "rose" : "fell") by \(abs(change).sentenceText())"
    }
    return text + "."
  }

  private static func write(_ measure: Measure, _ json: inout JSONWriter) {
    json.member("sensorType", measure.sensorType)
    json.member("min", measure.min.rounded(places: 3))
    json.member("mean", measure.mean.rounded(places: 3))
    json.member("max", measure.max.rounded(places: 3))
    json.member("count", measure.count)
    json.member("sensors", measure.sensors)
    json.member("change", measure.change?.rounded(places: 3))
  }
}
