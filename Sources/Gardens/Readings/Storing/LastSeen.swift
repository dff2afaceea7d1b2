import Agronomy
import Postgres
import Reactor
import Values

/// When devices were last heard of, gathered on one loop and written every few seconds in one statement.
final class LastSeen {
  /// How old what the database knows may be, in nanoseconds.
  static let intervalNanoseconds: UInt64 = 2_000_000_000
  /// The most devices of one statement; further ones are noted when they are heard again.
  static let maximumDevices = 10_000

  // Invariant 1.
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

  private func write() async {
    isScheduled = false
    let taken = seen
    seen.removeAll(keepingCapacity: true)
    // A device that goes on sending is noted again soon, so that what is lost here is not missed.
    _ = try? await database.execute(Self.update, Array(taken.keys), Array(taken.values))
  }

  /// Locks in the order of ids, since other loops write some of the same devices.
  private static let update = Statement(
    "devices.seen",
    """
    WITH seen AS (
      SELECT d.id, s.at FROM unnest($1::uuid[], $2::timestamptz[]) AS s (id, at)
      JOIN devices d ON d.id = s.id
      WHERE d.last_seen_at IS NULL OR d.last_seen_at < s.at
      ORDER BY d.id FOR NO KEY UPDATE OF d
    )
    UPDATE devices SET last_seen_at = seen.at,
      -- Who was told that it is silent is told at once that it is back.
      silence_due_at = CASE WHEN silence_told_at IS NULL THEN silence_due_at ELSE '-infinity' END,
      silences = CASE
        WHEN seen.at - last_seen_at >= interval '\(OnlineSpan.shortestSilenceSeconds) s' THEN
          (least(extract(epoch FROM seen.at - last_seen_at), 2e9)::integer || silences)[1:\(OnlineSpan.silences)]
        ELSE silences END
    FROM seen WHERE devices.id = seen.id
    """)
}
