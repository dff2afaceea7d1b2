import HTTP
import Postgres
import Secrets
import Values
import Web

/// The readings of devices that a request asks for: one device after the other, each in the order of time.
struct ReadingsQuery {
  static let defaultLimit: Int64 = 1_000
  static let maximumLimit: Int64 = 10_000
  /// The most devices that one part is read of, each by a statement: others wait for their turn meanwhile.
  static let maximumDevices = 100

  static let parameters: [Endpoint.Parameter] = [
    .query("sensorType", .string(pattern: SensorType.pattern), "Only readings of this type."),
    .query("from", .timestamp, "The start, inclusive; 24 hours ago by default."),
    .query("to", .timestamp, "The end, exclusive; now by default."),
    .query(
      "resolution", .cases(of: Resolution.self),
      """
      Single readings, or buckets of five minutes, an hour or a day in UTC; a bucket is in the range if its start is.
      """),
    .query(
      "timeZone", .string(pattern: ZonedDays.pattern),
      """
      With `resolution=1d`, the time zone of the days, such as Europe/Paris; UTC by default. An hour of UTC belongs to \
      the day in which it begins: where clocks differ from UTC by half or quarter hours, up to 45 minutes after \
      midnight count to the previous day.
      """),
    .query(
      "limit", .integer(minimum: 1, maximum: maximumLimit),
      "The most items on a page; by default \(defaultLimit) in JSON, all in CSV."),
    .query("cursor", .string(minLength: 1), "`nextCursor` of the previous page."),
  ]

  /// In the order of their ids.
  let devices: [Identifier]
  let resolution: Resolution
  let type: SensorType?
  private(set) var from: Timestamp
  private(set) var to: Timestamp
  /// The zone whose days are asked for; nil for UTC.
  private let zone: ZonedDays?
  let limit: Int64
  /// Whether the request says how many items it wants, or where to go on.
  let isPaged: Bool
  /// Where the page before ended.
  private let place: ReadingsPlace?
  /// All that decides what the list holds; its cursors are bound to it.
  let list: String

  /// Reads the query; throws 400 for what is malformed.
  ///
  /// `owner` is the garden of the devices, or the only device itself.
  init(_ call: Call, devices: [Identifier], of owner: Identifier, types: SensorTypes) throws {
    self.devices = devices
    let query = try call.query()
    resolution = try query.word("resolution", Resolution.self) ?? .raw
    type = try query.value("sensorType").map { name in
      guard let type = types.type(name) else {
        throw Problem(.malformed, "sensorType must match \(SensorType.pattern).")
      }
      return type
    }
    zone = try query.value("timeZone").flatMap { try ZonedDays($0) }
    if zone != nil, resolution != .days { throw Problem(.malformed, "timeZone needs resolution=1d.") }
    let (from, to) = (try query.timestamp("from"), try query.timestamp("to"))
    list =
      "readings \(owner) \(resolution.rawValue) \(type?.name ?? "") \(from?.description ?? "") \(to?.description ?? "")"
      + (zone.map { " \($0.name)" } ?? "")
    let page = try call.page(query, list: list, defaultLimit: Self.defaultLimit, maximumLimit: Self.maximumLimit)
    limit = page.limit
    isPaged = try query.value("limit") != nil || page.after != nil
    // A device's clock may be ahead, and what it has sent belongs to the last 24 hours too. An open end moves on from
    // page to page: readings that come meanwhile are reached, also from an answer that the client has kept.
    let last = to ?? call.now.advanced(byMilliseconds: ReadingWindow.futureMilliseconds)
    let isOfDays = resolution == .days && zone == nil
    self.to = isOfDays ? Self.midnight(last) : last
    if var after = page.after {
      // The third is the span's end, which the request has as well: the previous release reads it here.
      let (from, type, _) = (try after.takeTimestamp(), try after.takeText(), try after.takeTimestamp())
      // The beginning of the span follows, for the devices that are still to come.
      let device = devices.count == 1 && devices[0] == owner ? owner : try after.takeIdentifier()
      self.from = device == owner ? from : try after.takeTimestamp()
      place = ReadingsPlace(device: device, from: from, typeBefore: type)
    } else {
      let first = from ?? (to ?? call.now).advanced(byDays: -1)
      guard first <= last else { throw Problem(.malformed, "from must not be after to.") }
      self.from = isOfDays ? Self.midnight(first) : first
      place = nil
    }
  }

  /// Moves the span to the midnights of the zone that is asked for.
  mutating func settle(_ database: Database) async throws {
    guard let zone else { return }
    (from, to) = try await zone.midnights(from, to, in: database)
  }

  /// The first midnight of UTC that is not before a moment.
  private static func midnight(_ moment: Timestamp) -> Timestamp {
    CivilDate(moment.advanced(byMilliseconds: Timestamp.millisecondsPerDay - 1)).start
  }

  /// Some pages of devices, and where to go on.
  typealias Part = (pages: [ReadingsPage], next: ReadingsPlace?)

  /// Reads at most `limit` items of at most `maximumDevices` devices from a place on, or from where the request begins.
  func part(_ database: Database, from start: ReadingsPlace? = nil, limit: Int64) async throws -> Part {
    var (pages, left): ([ReadingsPage], Int64) = ([], limit)
    let start = start ?? place
    let rest = start.map { start in devices.drop { $0 < start.device } } ?? devices[...]
    for device in rest {
      // The page before may have ended with its device.
      if left == 0 || pages.count == Self.maximumDevices {
        return (pages, ReadingsPlace(device: device, from: from, typeBefore: ""))
      }
      let isStart = start?.device == device
      let page = try await page(
        database, of: device, from: isStart ? start?.from ?? from : from,
        after: isStart ? start?.typeBefore ?? "" : "", limit: left)
      pages.append(page)
      if let next = page.next { return (pages, next) }
      left -= Int64(page.count)
    }
    return (pages, nil)
  }

  /// Reads a page of a device, with one item more to show whether there is another page.
  private func page(
    _ database: Database, of device: Identifier, from: Timestamp, after typeBefore: String, limit: Int64
  ) async throws -> ReadingsPage {
    let rows =
      if let zone {
        try await database.query(
          ZonedDays.page, device, from, to, typeBefore, limit + 1, zone.zone, type?.name)
      } else if let type {
        try await database.query(
          resolution.statement(ofOneType: true), device, from, to, typeBefore, limit + 1, type.name)
      } else {
        try await database.query(resolution.statement(ofOneType: false), device, from, to, typeBefore, limit + 1)
      }
    return try ReadingsPage(rows, of: device, limit: Int(limit), isRaw: resolution == .raw)
  }

  /// The cursor of a place.
  func cursor(_ place: ReadingsPlace, of owner: Identifier, _ cursors: CursorSeal) -> String {
    var payload = CursorPayload()
    payload.append(place.from)
    payload.append(place.typeBefore)
    payload.append(to)
    if place.device != owner {
      payload.append(place.device)
      payload.append(from)
    }
    return cursors.seal(payload, list: list)
  }
}
