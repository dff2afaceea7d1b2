import Agronomy
import Gardens
import Postgres
import Values

/// What findings need to know of a garden itself.
struct ObservedGarden {
  let id: Identifier
  let name: String
  /// Degrees east: those of its zone where it does not say where it is.
  let longitude: Double
  let clock: GardenClock
  let ground: Ground

  /// The columns that `init` reads, in their order; the parameter is the moment about which times are told.
  static func columns(at parameter: String) -> String {
    """
    gardens.id, gardens.name, gardens.longitude, \(GardenClock.columns(of: "gardens", at: parameter)),
      \(Ground.columns(of: "gardens"))
    """
  }

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    name = try columns.next()
    let place = try columns.next(Double?.self)
    clock = try GardenClock.read(&columns) ?? .utc
    longitude = place ?? clock.meridian
    ground = try Ground(&columns)
  }
}

/// What findings need to know of a device itself.
struct ObservedDevice {
  /// A device that has been silent for longer was taken away.
  static let goneDays = Double(GardenClock.pastDays)

  let id: Identifier
  let name: String
  let seenAt: Timestamp?
  let isSilent: Bool
  /// The longest of its silences of late, in hours; nil while it is not heard of.
  let longestSilence: Double?
  /// Nil where its garden's is meant.
  let clock: GardenClock?
  let ground: Ground

  /// The columns that `init` reads, in their order; the parameter is the moment about which times are told.
  static func columns(at parameter: String) -> String {
    """
    devices.id, devices.name, devices.last_seen_at, \(OnlineSpan.column), devices.silence_told_at,
      \(Listening.since(at: parameter)), \(OnlineSpan.longestSilence),
      \(GardenClock.columns(of: "devices", at: parameter)), \(Ground.columns(of: "devices"))
    """
  }

  init(_ row: Row, now: Timestamp) throws {
    var columns = row.columns
    id = try columns.next()
    name = try columns.next()
    seenAt = try columns.next()
    let (span, toldAt) = (try OnlineSpan(&columns), try columns.next(Timestamp?.self))
    let since = try columns.next(Timestamp.self)
    isSilent =
      seenAt.map { seen in
        // What had fallen silent before nobody listened has been silent all the while.
        toldAt.map { $0 >= seen } ?? false || span.silence(seen: seen, listeningSince: since) < now
      } ?? false
    let longest = Double(try columns.next(Int32?.self) ?? 0) / 3_600
    longestSilence = span.isOnline(seen: seenAt, now: now) ? longest : nil
    clock = try GardenClock.read(&columns)
    ground = try Ground(&columns)
  }

  /// Itself as one that fell silent; nil when it did not.
  func silent(at now: Timestamp) -> SilentDevice? {
    guard isSilent, let seenAt, !isGone(at: now) else { return nil }
    return SilentDevice(device: id, name: name, seenAt: seenAt)
  }

  func isGone(at now: Timestamp) -> Bool { seenAt.map { $0.hours(until: now) > Self.goneDays * 24 } ?? false }
}
