import Agronomy
import Gardens
import Postgres
import Values

/// What findings need to know of a device itself.
struct ObservedDevice {
  /// A device that has been silent for longer, in days, counts as taken away.
  static let goneDays = Double(GardenClock.pastDays)

  let id: Identifier
  let name: String
  let seenAt: Timestamp?
  let isSilent: Bool
  /// The longest of its recent silences, in hours; nil unless it is online.
  let longestSilence: Double?
  /// Its own time zone; nil where the garden's holds.
  let clock: GardenClock?
  let ground: Ground

  /// The columns that `init` reads, in their order; `parameter` is the moment around which times are told.
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
        // A device told of as silent before the server was down counts as silent throughout.
        toldAt.map { $0 >= seen } ?? false || span.silence(seen: seen, listeningSince: since) < now
      } ?? false
    let longest = Double(try columns.next(Int32?.self) ?? 0) / 3_600
    longestSilence = span.isOnline(seen: seenAt, now: now) ? longest : nil
    clock = try GardenClock.read(&columns)
    ground = try Ground(&columns)
  }

  /// The device as a silent one; nil when it is not silent, or has been for too long.
  func silent(at now: Timestamp) -> SilentDevice? {
    guard isSilent, let seenAt, !isGone(at: now) else { return nil }
    return SilentDevice(device: id, name: name, seenAt: seenAt)
  }

  func isGone(at now: Timestamp) -> Bool { seenAt.map { $0.hours(until: now) > Self.goneDays * 24 } ?? false }
}
