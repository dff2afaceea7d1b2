import Agronomy
import Notifications
import Postgres
import Reactor
import Values
import Web

/// Tells the owners of devices that have fallen silent, and of those that are back, once each.
///
/// Silence counts only while somebody listened: after a time without any replica it begins anew.
struct DeviceWatch {
  static let intervalSeconds: UInt64 = 15
  /// The most devices of one run, those that are silent for the longest first.
  static let devicesPerRun = 1_000
  /// Nobody has listened when the watch has stood still for so long, in minutes.
  static let gapMinutes = 5
  /// What happened longer ago is no news, in milliseconds: of a device that was silent before this was watched.
  static let newsMilliseconds: Int64 = 24 * 3_600_000

  let context: LoopContext

  var duty: Duty {
    Duty(name: "devices", intervalSeconds: Self.intervalSeconds, timeoutMilliseconds: 30_000) { transaction in
      try await tellSilent(transaction)
      try await tellBack(transaction)
      return false
    }
  }

  private func tellSilent(_ transaction: Transaction) async throws {
    let now = context.now
    let since = try await transaction.query(Self.listen, now, Self.gapMinutes)[0].decode(Timestamp.self, 0)
    let rows = try await transaction.query(
      Self.quiet, now.advanced(byMilliseconds: -OnlineSpan.shortestSeconds * 1_000), Self.devicesPerRun, now)
    var silent: [Identifier] = []
    for row in rows {
      var columns = row.columns
      let (device, span) = (try Device(&columns, now: now), try OnlineSpan(&columns))
      guard let lastSeen = device.lastSeenAt else { continue }
      let fellSilent = max(lastSeen, since).advanced(byMilliseconds: span.seconds * 1_000)
      guard fellSilent < now else { continue }
      silent.append(device.id)
      if fellSilent.advanced(byMilliseconds: Self.newsMilliseconds) > now {
        try await Outbox(context).put(
          device.news("device.silent", .warning, "\(device.name) is silent", "It was last heard of at \(lastSeen)."),
          for: .garden(device.garden), in: transaction)
      }
    }
    if !silent.isEmpty { try await transaction.execute(Self.markSilent, silent, now) }
  }

  private func tellBack(_ transaction: Transaction) async throws {
    let rows = try await transaction.query(Self.back, Self.devicesPerRun)
    let devices = try rows.map { try Device($0, now: context.now) }
    for device in devices {
      try await Outbox(context).put(
        device.news("device.back", .notice, "\(device.name) is back", "It is heard of again."),
        for: .garden(device.garden), in: transaction)
    }
    if !devices.isEmpty { try await transaction.execute(Self.markBack, devices.map(\.id)) }
  }

  // MARK: SQL

  private static let listen = Statement(
    "devices.listen",
    """
    UPDATE device_watch SET checked_at = $1,
      since = CASE WHEN checked_at < $1 - make_interval(mins => $2::integer) THEN $1 ELSE since END
    RETURNING since
    """)
  // Those that are seldom heard of are none of them: so many could keep the others out. Who is locked by somebody else
  // is looked at the next time.
  private static let quiet = Statement(
    "devices.quiet",
    """
    SELECT \(Device.columns), \(OnlineSpan.column) FROM devices
    WHERE silence_told_at IS NULL AND last_seen_at < $1 AND \(OnlineSpan.end) < $3
    ORDER BY last_seen_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
    """)
  private static let markSilent = Statement(
    "devices.markSilent", "UPDATE devices SET silence_told_at = $2 WHERE id = ANY ($1)")
  private static let back = Statement(
    "devices.back",
    """
    SELECT \(Device.columns) FROM devices WHERE silence_told_at < last_seen_at
    ORDER BY last_seen_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
    """)
  private static let markBack = Statement(
    "devices.markBack", "UPDATE devices SET silence_told_at = NULL WHERE id = ANY ($1)")
}

extension Device {
  /// What its garden's owner is told of it.
  fileprivate func news(_ type: String, _ severity: Severity, _ title: String, _ text: String) -> News {
    News(.device, type: type, severity: severity, title: title, text: text, data: body)
  }
}
