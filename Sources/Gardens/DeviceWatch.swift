import Agronomy
import Notifications
import Postgres
import Reactor
import Values
import Web

/// Tells a garden's owner and members of devices that have fallen silent, and of those that are back, once each; see
/// `Listening`.
struct DeviceWatch {
  static let intervalSeconds: UInt64 = 15
  /// The most devices of one run: their rows are locked for as long as it takes.
  static let devicesPerRun = 200
  /// The most news of one run; the rest waits for the next one.
  static let newsPerRun = 20
  /// How much longer than its span a device is silent before that is told, in milliseconds: it often comes back exactly
  /// then, since the span is a multiple of its interval, and its report is noted some seconds later (`LastSeen`).
  static let notingMilliseconds: Int64 = 10_000
  /// How long after its silence was told a device is looked at again even if it was not heard of, in milliseconds: the
  /// previous release, running beside this one, may have heard it.
  static let toldMilliseconds = Timestamp.millisecondsPerHour
  /// A silence that began longer ago is not told, in milliseconds: it began before devices were watched.
  static let newsMilliseconds = Timestamp.millisecondsPerDay

  let context: LoopContext

  var duty: Duty {
    Duty(
      name: "devices", intervalSeconds: Self.intervalSeconds, timeoutMilliseconds: 30_000, run: { try await run($0) })
  }

  /// Looks at the devices that are due, and sets when each is due again: not before it can have fallen silent, unless
  /// it is heard of after its silence was told (`LastSeen`). Returns whether more are due.
  private func run(_ transaction: Transaction) async throws -> Bool {
    let now = context.now
    let since = try await transaction.query(Self.listen, now)[0].decode(Timestamp.self, 0)
    try await transaction.execute(Self.rewind, now, Self.devicesPerRun)
    let rows = try await transaction.query(Self.due, now, Self.devicesPerRun)
    var looks: [Look] = []
    var newsCount = 0
    for row in rows where newsCount < Self.newsPerRun {
      let look = try Look(row, since: since, now: now)
      if let change = look.change {
        let news = try await news(of: look.device, change, in: transaction)
        try await Outbox(context).put(news, for: .garden(look.device.garden), in: transaction)
        newsCount += 1
      }
      looks.append(look)
    }
    if !looks.isEmpty {
      try await transaction.execute(Self.mark, looks.map(\.device.id), looks.map(\.toldAt), looks.map(\.dueAt), now)
    }
    return looks.count < rows.count || rows.count == Self.devicesPerRun
  }

  /// The news of a device, with times as its garden's owner reads them.
  private func news(of device: Device, _ change: Look.Change, in transaction: Transaction) async throws -> News {
    var columns = try await transaction.query(Self.place, device.id, device.lastSeenAt)[0].columns
    let title = "\(try columns.next(String.self)): \(device.name)"
    switch change {
    case .back: return device.news("device.back", .notice, "\(title) is back", "It is reporting again.")
    case .silent(let lastSeen):
      let own = try GardenClock.read(&columns)
      let clock = try own ?? GardenClock.read(&columns) ?? .utc
      let text = "It last reported at \(clock.text(lastSeen))."
      return device.news("device.silent", .warning, "\(title) is silent", text)
    }
  }

  // MARK: SQL

  private static let listen = Statement(
    "devices.listen",
    """
    UPDATE device_watch SET checked_at = $1, since = \(Listening.column(at: "$1")) RETURNING since
    """)
  /// Has devices looked at now whose next look is later than `Look` puts it: it was set while the clock was ahead.
  private static let rewind = Statement(
    "devices.rewind",
    """
    UPDATE devices SET silence_due_at = '-infinity' WHERE id IN (
      SELECT id FROM devices WHERE silence_due_at > $1::timestamptz + interval '\(2 * toldMilliseconds / 1_000) s'
      LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
    """)
  // A device that another transaction has locked is looked at the next time.
  static let due = Statement(
    "devices.due",
    """
    SELECT \(Device.columns), \(OnlineSpan.column), silence_told_at FROM devices
    WHERE silence_due_at < $1 ORDER BY silence_due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
    """)
  /// Its garden's name, and the clocks: the device's own and its garden's.
  private static let place = Statement(
    "devices.place",
    """
    SELECT gardens.name, \(GardenClock.columns(of: "devices", at: "$2")), \(GardenClock.columns(of: "gardens", at: "$2"))
    FROM devices JOIN gardens ON gardens.id = devices.garden_id WHERE devices.id = $1
    """)
  private static let mark = Statement(
    "devices.mark",
    """
    UPDATE devices SET silence_told_at = looks.told, silence_due_at = looks.due,
      last_seen_at = CASE WHEN last_seen_at > $4 THEN $4 ELSE last_seen_at END
    FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS looks (id, told, due)
    WHERE devices.id = looks.id
    """)
}

/// What a look at a device has found.
private struct Look {
  enum Change {
    case silent(lastSeen: Timestamp)
    case back
  }

  let device: Device
  /// The change that is to be told.
  private(set) var change: Change?
  /// When its silence was told; nil while it is not silent, or when it was heard of since.
  private(set) var toldAt: Timestamp?
  private(set) var dueAt: Timestamp

  /// Judges a row of `DeviceWatch.due`; `since` is when the server began to listen.
  init(_ row: Row, since: Timestamp, now: Timestamp) throws {
    var columns = row.columns
    device = try Device(&columns, now: now)
    let span = try OnlineSpan(&columns)
    // What lies ahead was written while the clock was ahead.
    toldAt = try columns.next(Timestamp?.self).map { min($0, now) }
    // If it is heard of from now on, it cannot be silent before the shortest span is over.
    dueAt = now.advanced(byMilliseconds: OnlineSpan.shortestSeconds * 1_000)
    guard let lastSeen = device.lastSeenAt.map({ min($0, now) }) else { return }
    if let told = toldAt {
      guard told < lastSeen else {
        dueAt = now.advanced(byMilliseconds: DeviceWatch.toldMilliseconds)
        return
      }
      change = .back
      toldAt = nil
      return
    }
    let end = span.silence(seen: lastSeen, listeningSince: since)
      .advanced(byMilliseconds: DeviceWatch.notingMilliseconds)
    guard end < now else {
      dueAt = min(dueAt, end)
      return
    }
    toldAt = now
    dueAt = now.advanced(byMilliseconds: DeviceWatch.toldMilliseconds)
    if end.advanced(byMilliseconds: DeviceWatch.newsMilliseconds) > now {
      change = .silent(lastSeen: lastSeen)
    }
  }
}

extension Device {
  /// The news of it for its garden's owner and members.
  fileprivate func news(_ type: String, _ severity: Severity, _ title: String, _ text: String) -> News {
    News(.device, type: type, severity: severity, title: title, text: text, data: body)
  }
}
