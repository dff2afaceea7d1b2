import Agronomy
import Commerce
import Gardens
import Insights
import JSON
import Secrets
import Values
import Web

/// Reads the lines of an export: checks each, gives everything a new id, and gathers rows and faults.
struct ImportFile {
  /// The most time zones that are asked for, which is more than there are; further ones are unknown.
  static let maximumZones = 1_000

  private(set) var report = ImportReport()
  /// Rows that wait to be written.
  var batch = ImportBatch()
  /// Whether something was made that everyone may see.
  private(set) var touchesPublic = false
  var hasGardens: Bool { names.count(of: .garden) > 0 }
  var hasBusinesses: Bool { names.count(of: .business) > 0 }

  /// The columns of a device's history, once they are known; nil for an export.
  private var history: HistoryTable?
  var isHistory: Bool { history != nil }

  private let now: Timestamp
  /// Readings from here on stay raw.
  let rawFrom: Timestamp
  private var hasHeader = false
  private var names: ImportNames
  /// How many devices each new garden has.
  private var devicesOfGardens: [Identifier: Int] = [:]
  /// How many products each new business has.
  private var products: [Identifier: Int] = [:]
  /// The sensor types of each device's readings, as hashes of their names: the names themselves could be too much.
  private var sensorTypes: [Identifier: [Int]] = [:]
  /// The names of the time zones that were asked for; nil for what the database does not know. What is no name is not
  /// asked for: it could be long.
  private var zones: [String: String?] = [TimeZoneName.assumed: TimeZoneName.assumed]

  /// A file that is read now.
  init(now: Timestamp, rawFrom: Timestamp) {
    self.now = now
    self.rawFrom = rawFrom
    names = ImportNames(now: now)
  }

  /// Lets the file be the history of a device that has measured some types already.
  mutating func expectHistory(of device: DeviceIdentity, types: [String]) {
    history = HistoryTable(device: device)
    names.keep(device.id, .device)
    sensorTypes[device.id] = types.map(\.hashValue)
  }

  /// Reads one line; gives the time zone on it that is not known yet, for `learn`: then it is to be read again.
  mutating func take(_ bytes: [UInt8], line: Int) -> String? {
    do {
      if history != nil {
        try readHistory(bytes)
      } else {
        let value = try JSONReader.parse(bytes)
        if let zone = value.member("timeZone")?.stringText, TimeZoneName.isName(zone),
          zones.index(forKey: zone) == nil, zones.count < Self.maximumZones
        {
          return zone
        }
        try read(value)
      }
    } catch let error as JSONError {
      report.fault(line, Fault("", error.message))
    } catch let error as ValidationError {
      for fault in error.faults { report.fault(line, fault) }
    } catch {
      report.fault(line, Fault("", "cannot be read"))
    }
    batch.bytes += bytes.count
    return nil
  }

  /// Notes the name of a time zone; nil when the database knows none.
  mutating func learn(_ zone: String, _ name: String?) { zones.updateValue(name, forKey: zone) }

  /// Notes at the end that there was not even a first line.
  mutating func finish(line: Int) {
    guard report.faultCount == 0, !(history?.hasNames ?? hasHeader) else { return }
    report.fault(max(line, 1), isHistory ? HistoryTable.unnamed : Fault("", "the file has no header"))
  }

  /// Takes the rows that wait, once they are written; `fresh` readings of them were new. The types of a history wait
  /// on.
  mutating func written(freshReadings: Int) {
    report.created(.garden, batch.gardens.count)
    report.created(.device, batch.devices.count)
    report.created(.business, batch.businesses.count)
    report.created(.product, batch.products.count)
    report.created(.insight, batch.insights.count)
    report.created(.reading, freshReadings)
    report.skipped(.reading, batch.readings.count - freshReadings)
    report.created(.reading, batch.hours.lazy.filter(\.isReading).count)
    report.created(.hour, batch.hours.lazy.filter { !$0.isReading }.count)
    let types = isHistory ? batch.types : []
    batch = ImportBatch()
    batch.types = types
  }

  /// Counts the readings of a history that are kept by the hour alone, and how many of them its new hours are of.
  mutating func wroteHours(of count: Int, among all: Int) {
    report.created(.reading, count)
    report.skipped(.reading, all - count)
  }

  // MARK: Lines

  private mutating func readHistory(_ bytes: [UInt8]) throws {
    guard let line = try history?.reading(bytes) else { return }
    var fields = Fields(try JSONReader.parse(line))
    try readReading(&fields)
  }

  private mutating func read(_ value: JSONValue) throws {
    guard let name = value.member("kind")?.stringText, let kind = LineKind(rawValue: name) else {
      throw ValidationError("/kind", "must be one of: \(LineKind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard hasHeader || kind == .header else {
      throw ValidationError("/kind", "must be header on the first line")
    }
    var fields = Fields(value)
    _ = fields.required("kind", .string(1...20))
    switch kind {
    case .header: try readHeader(&fields)
    case .garden: try readGarden(&fields)
    case .device: try readDevice(&fields)
    case .business: try readBusiness(&fields)
    case .product: try readProduct(&fields)
    case .insight: try readInsight(&fields)
    case .reading: try readReading(&fields)
    case .hour: try readHour(&fields)
    // Orders are others' as well, a profile is of one account alone, and a channel has a secret that is not in the
    // file.
    case .order, .profile, .channel: report.skipped(kind, 1)
    }
  }

  private mutating func readHeader(_ fields: inout Fields) throws {
    let schema = fields.required("schema", .integer(1...Int64.max))
    _ = fields.optional("exportedAt", .timestamp)
    if hasHeader { fields.fault("kind", "must be header on the first line only") }
    if schema != Int64(Export.schema) { fields.fault("schema", "must be \(Export.schema)") }
    hasHeader = true
    try fields.finish()
  }

  private mutating func readGarden(_ fields: inout Fields) throws {
    let old = names.readNewcomer(.garden, &fields)
    if names.count(of: .garden) > NewGarden.maximumOfOwner {
      fields.fault("kind", "stands on more than \(NewGarden.maximumOfOwner) lines")
    }
    _ = fields.optional("ownerId", .identifier)
    var garden = NewGarden(&fields)
    settleZone(&garden.timeZone, &fields)
    let (createdAt, updatedAt) = times(&fields)
    try fields.finish()
    let id = names.rename(old, .garden, at: createdAt)
    if garden.isPublic { touchesPublic = true }
    batch.gardens.append(NewGarden.Row(id: id, new: garden, createdAt: createdAt, updatedAt: updatedAt))
  }

  private mutating func readDevice(_ fields: inout Fields) throws {
    let old = names.readNewcomer(.device, &fields)
    let garden = names.read(.garden, &fields)
    if devicesOfGardens[garden, default: 0] >= NewDevice.maximumOfGarden {
      fields.fault("gardenId", "is that of \(NewDevice.maximumOfGarden) lines before: no garden has more devices")
    }
    var device = NewDevice(&fields)
    settleZone(&device.timeZone, &fields)
    // A copy has not been seen yet.
    _ = fields.optional("lastSeenAt", .timestamp)
    _ = fields.optional("online", .boolean)
    let (createdAt, updatedAt) = times(&fields)
    try fields.finish()
    let id = names.rename(old, .device, at: createdAt)
    devicesOfGardens[garden, default: 0] += 1
    sensorTypes[id] = []
    // A key that nobody has: its owner makes a new one.
    let key = OpaqueKey.make(.deviceKey)
    batch.devices.append(
      NewDevice.Row(id: id, garden: garden, new: device, key: key, createdAt: createdAt, updatedAt: updatedAt))
  }

  private mutating func readBusiness(_ fields: inout Fields) throws {
    let old = names.readNewcomer(.business, &fields)
    if names.count(of: .business) > NewBusiness.maximumOfOwner {
      fields.fault("kind", "stands on more than \(NewBusiness.maximumOfOwner) lines")
    }
    _ = fields.optional("ownerId", .identifier)
    let business = NewBusiness(&fields)
    let (createdAt, updatedAt) = times(&fields)
    try fields.finish()
    let id = names.rename(old, .business, at: createdAt)
    touchesPublic = true
    batch.businesses.append(
      NewBusiness.Row(id: id, new: business, createdAt: createdAt, updatedAt: updatedAt))
  }

  private mutating func readProduct(_ fields: inout Fields) throws {
    _ = fields.required("id", .identifier)
    let business = names.read(.business, &fields)
    if products[business, default: 0] >= NewProduct.maximumOfBusiness {
      fields.fault(
        "businessId", "is that of \(NewProduct.maximumOfBusiness) lines before: no business has more products")
    }
    let product = NewProduct(&fields)
    let (createdAt, updatedAt) = times(&fields)
    try fields.finish()
    products[business, default: 0] += 1
    batch.products.append(
      NewProduct.Row(
        id: names.make(at: createdAt), business: business, new: product, createdAt: createdAt, updatedAt: updatedAt))
  }

  private mutating func readInsight(_ fields: inout Fields) throws {
    _ = fields.required("id", .identifier)
    let garden = names.read(.garden, &fields)
    let type = fields.required("type", .oneOf(InsightType.self))
    let provider = fields.required("provider", .oneOf(InsightProvider.self))
    let severity = fields.required("severity", .oneOf(Severity.self))
    let title = fields.required("title", .string(1...1_000))
    let text = fields.required("text", .text(1...10_000))
    let evidence = fields.required("evidence", .anyObject)
    let createdAt = fields.required("createdAt", .timestamp)
    checkPast("createdAt", createdAt, &fields)
    try fields.finish()
    batch.insights.append(
      ImportBatch.Insight(
        id: names.make(at: createdAt), garden: garden, type: type, provider: provider, severity: severity,
        title: title, text: text, evidence: JSONWriter.bytes(of: JSONValue.object(evidence)), createdAt: createdAt))
  }

  // MARK: Readings

  private mutating func readReading(_ fields: inout Fields) throws {
    let device = names.read(.device, &fields)
    let type = sensorType(of: device, &fields)
    if let declared = history?.device.sensorTypes, !declared.isEmpty, !declared.contains(type) {
      fields.fault("sensorType", "is not one that the device declares")
    }
    let value = fields.required("value", Self.values(of: type))
    let measuredAt = fields.required("measuredAt", .timestamp)
    checkPast("measuredAt", measuredAt, &fields)
    try fields.finish()
    // What is too old to stay raw is one of its hour; of a history not before all of it is there.
    guard measuredAt < rawFrom, !isHistory else {
      return batch.readings.append(
        ImportBatch.Reading(device: device, sensorType: type, measuredAt: measuredAt, value: value))
    }
    batch.hours.append(
      ImportBatch.Hour(
        device: device, sensorType: type, start: Self.hour(of: measuredAt), min: value, max: value, sum: value,
        count: 1, isReading: true))
  }

  private mutating func readHour(_ fields: inout Fields) throws {
    let device = names.read(.device, &fields)
    let type = sensorType(of: device, &fields)
    let start = fields.required("start", .timestamp)
    let min = fields.required("min", Self.values(of: type))
    let max = fields.required("max", Self.values(of: type))
    let sum = fields.required("sum", .number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude))
    let count = fields.required("count", .integer(1...1_000_000_000))
    if Self.hour(of: start) != start { fields.fault("start", "must be the beginning of an hour") }
    if min > max {
      fields.fault("max", "must not be less than min")
    } else if !Self.isMean(sum / Double(count), from: min, to: max) {
      fields.fault("sum", "must be count times a mean between min and max")
    }
    checkPast("start", start, &fields)
    try fields.finish()
    batch.hours.append(
      ImportBatch.Hour(
        device: device, sensorType: type, start: start, min: min, max: max, sum: sum, count: count, isReading: false))
  }

  /// The sensor type of a line, which must be among the first of its device.
  private mutating func sensorType(of device: Identifier, _ fields: inout Fields) -> String {
    let type = fields.required("sensorType", .sensorType)
    let hash = type.hashValue
    // What names no device is at fault for that.
    guard let known = sensorTypes[device], !known.contains(hash) else { return type }
    if known.count < DeviceTypes.maximumTypes {
      sensorTypes[device] = known + [hash]
      batch.types.append(ImportBatch.MeasuredType(device: device, name: type))
    } else {
      fields.fault("sensorType", "is one more than the \(DeviceTypes.maximumTypes) that a device may have")
    }
    return type
  }

  /// Whether a mean fits its bounds, but for what adding up many numbers costs in precision.
  private static func isMean(_ mean: Double, from min: Double, to max: Double) -> Bool {
    let slack = 1e-6 * Swift.max(abs(min), abs(max))
    return (min - slack...max + slack).contains(mean)
  }

  private static func values(of type: String) -> Rule<Double> {
    .number(KnownSensor(rawValue: type)?.range ?? Reading.values)
  }

  private static func hour(of moment: Timestamp) -> Timestamp {
    moment.roundedDown(to: Timestamp.millisecondsPerHour)
  }

  // MARK: Members

  private func times(_ fields: inout Fields) -> (createdAt: Timestamp, updatedAt: Timestamp) {
    let createdAt = fields.optional("createdAt", .timestamp) ?? now
    let updatedAt = fields.optional("updatedAt", .timestamp) ?? createdAt
    checkPast("createdAt", createdAt, &fields)
    checkPast("updatedAt", updatedAt, &fields)
    return (createdAt, updatedAt)
  }

  private func settleZone(_ zone: inout String?, _ fields: inout Fields) {
    // Of what is no name the form has told.
    guard let given = zone, TimeZoneName.isName(given) else { return }
    guard let name = zones[given] ?? nil else { return fields.fault("timeZone", TimeZoneName.expectation) }
    zone = name
  }

  private func checkPast(_ name: String, _ moment: Timestamp, _ fields: inout Fields) {
    let latest = now.advanced(byMilliseconds: ReadingWindow.futureMilliseconds)
    if moment.unixMilliseconds < 0 || moment > latest { fields.fault(name, "must be between 1970 and now") }
  }
}
