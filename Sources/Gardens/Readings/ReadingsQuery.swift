import HTTP
import Postgres
import Secrets
import Values
import Web

/// What a request asks to read of a device's readings.
struct ReadingsQuery {
  static let defaultLimit: Int64 = 1_000
  static let maximumLimit: Int64 = 10_000
  private static let dayMilliseconds: Int64 = 86_400_000

  static let parameters: [Endpoint.Parameter] = [
    .query("sensorType", .string(pattern: SensorType.pattern), "Only readings of this type."),
    .query("from", .timestamp, "The first moment, inclusive; 24 hours ago unless given."),
    .query("to", .timestamp, "The last moment, exclusive; now unless given."),
    .query(
      "resolution", .cases(of: Resolution.self),
      "Single readings, or buckets of five minutes, an hour or a day in UTC, which count by their start."),
    .query("limit", .integer(minimum: 1, maximum: maximumLimit), "The most items of a page; 1000 unless given."),
    .query("cursor", .string(minLength: 1), "`nextCursor` of the page before."),
  ]

  let device: Identifier
  let resolution: Resolution
  let type: SensorType?
  let from: Timestamp
  let to: Timestamp
  let limit: Int64
  /// The sensor type of the last item of the page before, which was of the moment `from`.
  private let typeBefore: String
  /// Everything that decides what the list holds, to which its cursors are bound.
  let list: String

  /// Reads the query; throws 400 for what is malformed.
  init(_ call: Call, device: Identifier, types: SensorTypes) throws {
    self.device = device
    let query = try call.query()
    resolution = try query.word("resolution", Resolution.self) ?? .raw
    type = try query.value("sensorType").map { name in
      guard let type = types.type(name) else {
        throw Problem(.malformed, "sensorType must match \(SensorType.pattern).")
      }
      return type
    }
    let (from, to) = (try query.timestamp("from"), try query.timestamp("to"))
    list =
      "readings \(device) \(resolution.rawValue) \(type?.name ?? "") \(from?.description ?? "") \(to?.description ?? "")"
    let page = try call.page(query, list: list, defaultLimit: Self.defaultLimit, maximumLimit: Self.maximumLimit)
    limit = page.limit
    if var after = page.after {
      self.from = try after.takeTimestamp()
      typeBefore = try after.takeText()
      self.to = try after.takeTimestamp()
    } else {
      // A device's clock may be ahead: what it has sent belongs to the last 24 hours too.
      let last = to ?? call.now.advanced(byMilliseconds: ReadingWindow.futureMilliseconds)
      let first = from ?? (to ?? call.now).advanced(byMilliseconds: -Self.dayMilliseconds)
      guard first <= last else { throw Problem(.malformed, "from must not be after to.") }
      (self.from, self.to) = resolution == .days ? (Self.midnight(first), Self.midnight(last)) : (first, last)
      typeBefore = ""
    }
  }

  /// The first midnight that is not before a moment.
  private static func midnight(_ moment: Timestamp) -> Timestamp {
    let days = -(-moment.unixMilliseconds).floorDivided(by: dayMilliseconds)
    return Timestamp(unixMilliseconds: days * dayMilliseconds)
  }

  /// Reads the page, and one item more to know whether there is another.
  func page(_ database: Database) async throws -> ReadingsPage {
    let rows =
      if let type {
        try await database.query(
          resolution.statement(ofOneType: true), device, from, to, typeBefore, limit + 1, type.name)
      } else {
        try await database.query(resolution.statement(ofOneType: false), device, from, to, typeBefore, limit + 1)
      }
    return try ReadingsPage(rows, limit: Int(limit), isRaw: resolution == .raw, to: to)
  }
}
