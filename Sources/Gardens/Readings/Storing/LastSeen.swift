import Agronomy
import Postgres
import Reactor
import Values

/// When devices were last heard of, gathered on one loop and written every few seconds in one statement.
///
/// What cannot be written yet is kept for the next statement: a device that sends seldom is not heard of again soon.
final class LastSeen {
  /// How long notes are gathered before they are written, in nanoseconds.
  static let intervalNanoseconds: UInt64 = 2_000_000_000
  /// The most devices of one statement; further ones are noted when they are heard of again.
  static let maximumDevices = 10_000

  // Invariant 1: the loop outlives what runs on it.
  private unowned(unsafe) let loop: EventLoop
  private let database: Database
  private var seen: [Identifier: Timestamp] = [:]
  private var isScheduled = false

  init(loop: EventLoop, database: Database) {
    self.loop = loop
    self.database = database
  }

  /// Notes that a device has been heard of.
  func note(_ device: Identifier, at moment: Timestamp) {
    guard seen.count < Self.maximumDevices || seen[device] != nil else { return }
    seen[device] = moment
    if isScheduled { return }
    isScheduled = true
    loop.schedule(afterNanoseconds: Self.intervalNanoseconds) { [weak self] in
      guard let self else { return }
      loop.spawn { await self.write() }
    }
  }

  /// Writes the notes.
  func write() async {
    isScheduled = false
    if seen.isEmpty { return }
    let taken = seen
    seen.removeAll(keepingCapacity: true)
    for (device, moment) in await left(of: taken) where seen[device] == nil { note(device, at: moment) }
  }

  /// Writes notes. Returns those that have to be written later.
  private func left(of notes: [Identifier: Timestamp]) async -> [Identifier: Timestamp] {
    do throws(PostgresError) {
      let rows = try await database.write(Self.update, Array(notes.keys), Array(notes.values))
      let held = Set(try rows.map { row throws(PostgresError) in try row.decode(Identifier.self, 0) })
      return notes.filter { held.contains($0.key) }
    } catch {
      // What the server refuses once, it would refuse again.
      return error.kind == .server && !error.isLockTimeout ? [:] : notes
    }
  }

  /// Whether a moment is later than what is known of the device `d`, in SQL. What is known of the future was written
  /// while the clock was ahead.
  private static func isLater(_ moment: String) -> String {
    "(d.last_seen_at IS NULL OR d.last_seen_at < \(moment) OR d.last_seen_at > now() + interval '1 minute')"
  }

  /// Returns the devices that another transaction has locked. It waits for none: an erasure takes its time.
  private static let update = Statement(
    "devices.seen",
    """
    WITH new AS (
      SELECT d.id, s.at
      FROM (SELECT id, least(at, now()) FROM unnest($1::uuid[], $2::timestamptz[]) AS n (id, at)) AS s (id, at)
      JOIN devices d ON d.id = s.id
      WHERE \(isLater("s.at"))
    ), seen AS (
      SELECT d.id, new.at FROM new JOIN devices d ON d.id = new.id
      WHERE \(isLater("new.at"))
      FOR NO KEY UPDATE OF d SKIP LOCKED
    ), written AS (
      UPDATE devices SET last_seen_at = seen.at,
        -- Who was told that it is silent is told at once that it is back.
        silence_due_at = CASE WHEN silence_told_at IS NULL THEN silence_due_at ELSE '-infinity' END,
        silences = CASE
          WHEN seen.at - last_seen_at >= interval '\(OnlineSpan.shortestSilenceSeconds) s' THEN
            (least(extract(epoch FROM seen.at - last_seen_at), 2e9)::integer || silences)[1:\(OnlineSpan.silences)]
          ELSE silences END
      FROM seen WHERE devices.id = seen.id
    )
    SELECT id FROM new WHERE id NOT IN (SELECT id FROM seen)
    """)
}
