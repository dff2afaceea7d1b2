import JSON
import Values
import Web

/// Reads the lines of an export: checks each, gives everything a new id, and gathers rows and faults.
struct ImportFile {
  private(set) var report = ImportReport()
  /// Rows that wait to be written.
  var batch = ImportBatch()
  /// Whether something was made that everyone may see.
  var touchesPublic = false
  var hasGardens: Bool { names.count(of: .garden) > 0 }
  var hasBusinesses: Bool { names.count(of: .business) > 0 }

  /// The reader of a device's history; nil for an export.
  private(set) var history: HistoryTable?
  var isHistory: Bool { history != nil }

  let now: Timestamp
  /// Readings from this moment on stay raw.
  let rawFrom: Timestamp
  private var hasHeader = false
  var names: ImportNames
  /// How many devices each new garden has.
  var devicesOfGardens: [Identifier: Int] = [:]
  /// How many products each new business has.
  var products: [Identifier: Int] = [:]
  /// The sensor types of each device's readings, as hashes of their names: the names could take too much memory.
  var sensorTypes: [Identifier: [Int]] = [:]
  var zones = ImportZones()

  /// Makes the reader of an export that arrives at `now`.
  init(now: Timestamp, rawFrom: Timestamp) {
    self.now = now
    self.rawFrom = rawFrom
    names = ImportNames(now: now)
  }

  /// Makes this the history of a device, which has measured `types` already.
  mutating func expectHistory(of device: DeviceIdentity, types: [String]) {
    history = HistoryTable(device: device)
    names.keep(device.id, .device)
    sensorTypes[device.id] = types.map(\.hashValue)
  }

  /// Reads one line. Returns its time zone where `zones` has yet to learn it; the caller then reads the line again.
  mutating func take(_ bytes: [UInt8], line: Int) -> String? {
    do {
      if history != nil {
        try readHistory(bytes)
      } else {
        let value = try JSONReader.parse(bytes)
        if let zone = zones.unasked(on: value) { return zone }
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

  /// Notes a fault at the end of a file that lacks even its first line.
  mutating func finish(line: Int) {
    guard report.faultCount == 0, !(history?.hasNames ?? hasHeader) else { return }
    report.fault(max(line, 1), isHistory ? HistoryTable.unnamed : Fault("", "the file has no header"))
  }

  /// Counts the batch as written and empties it; `freshReadings` of its readings were new. The types of a history stay
  /// until its end.
  mutating func written(freshReadings: Int) {
    report.countCreated(.garden, batch.gardens.count)
    report.countCreated(.device, batch.devices.count)
    report.countCreated(.business, batch.businesses.count)
    report.countCreated(.product, batch.products.count)
    report.countCreated(.insight, batch.insights.count)
    report.countCreated(.reading, freshReadings)
    report.countSkipped(.reading, batch.readings.count - freshReadings)
    report.countCreated(.reading, batch.hours.lazy.filter(\.isReading).count)
    report.countCreated(.hour, batch.hours.lazy.filter { !$0.isReading }.count)
    let types = isHistory ? batch.types : []
    batch = ImportBatch()
    batch.types = types
  }

  /// Counts `all` readings of a history that are kept by the hour alone; its new hours are of `count` of them.
  mutating func wroteHours(of count: Int, among all: Int) {
    report.countCreated(.reading, count)
    report.countSkipped(.reading, all - count)
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
    // Orders belong to others as well, a profile to one account alone, and a channel has a secret that is not in the
    // file.
    case .order, .profile, .channel: report.countSkipped(kind, 1)
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
}
