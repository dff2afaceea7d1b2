import Reactor

/// Leaving a standby, to which a host name may have led for a while, as after a failover.
///
/// A standby refuses what writes, by which such a connection is found out (`PostgresError.isReadOnly`). What reads
/// succeeds there, but may be old, for as long as the connection lasts.
extension Database {
  /// Whether a connection that may write leads to the primary.
  package var leadsToPrimary: Bool {
    (writers + transactions.connections).contains { $0.isReady && !$0.leadsToStandby }
  }

  /// Has a connection to a standby connect anew; called once another one has found the primary. Returns whether there
  /// was one.
  ///
  /// One at a time and with a pause in between, since the name may still lead there.
  @discardableResult
  package func leaveStandby() -> Bool {
    guard !isLeavingStandby,
      let connection = (readers + writers + transactions.connections).first(where: { mayLeave($0) })
    else { return false }
    isLeavingStandby = true
    loop.schedule(afterNanoseconds: UInt64(configuration.longestPauseMilliseconds) * 1_000_000) {
      self.isLeavingStandby = false
      if self.leadsToPrimary { self.leaveStandby() }
    }
    connection.lose(PostgresError(.unavailable, "it leads to a standby, and another connection to the primary"))
    return true
  }

  /// Whether a connection leads to a standby, and can be ended: a reader's statements go on at another reader, if there
  /// is to be another.
  private func mayLeave(_ connection: PostgresConnection) -> Bool {
    guard connection.isReady, connection.leadsToStandby else { return false }
    return switch connection.role {
    case .reader: readers.count == 1 || readers.contains { $0 !== connection && $0.isReady }
    case .writer, .transactions: !connection.isBusy && !transactions.isLent(connection)
    }
  }
}
