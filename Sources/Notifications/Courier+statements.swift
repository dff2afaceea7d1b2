import Postgres

/// The courier's statements. All leases go by Postgres' clock.
extension Courier {
  /// Whether the news gathered in a channel is to be sent now: the digest's time is over, or there is a warning. News
  /// of channels themselves is not gathered.
  private static let digestIsDue = """
    (channels.digest IS NULL OR EXISTS (
      SELECT 1 FROM deliveries w
      WHERE w.channel_id = channels.id AND w.status = 'pending' AND w.event <> 'channel' AND (w.severity = 'warning'
        OR w.created_at <= now() - CASE channels.digest WHEN 'hourly' THEN interval '1 hour' ELSE interval '1 day' END)))
    """
  private static let isQuiet =
    "(channels.quiet_from IS NOT NULL AND is_quiet(channels.quiet_from, channels.quiet_to, channels.quiet_zone))"

  /// Whether anything may be delivered to a channel: to an unconfirmed one only the mail that asks its reader.
  private static let isServed = "(channels.disabled_at IS NULL OR NOT channels.confirmed)"

  /// Whether news is of the channel itself and may be sent: to an unconfirmed one only the mail that asks its reader.
  private static func isOfChannel(_ news: String, confirmed: String) -> String {
    "(\(news).event = 'channel' AND (\(confirmed) OR \(news).type = '\(Outbox.confirmation)'))"
  }

  /// Whether the moment in `column`, which is set at most `seconds` ahead, has passed, in SQL. One that lies further
  /// ahead was set while Postgres' clock was wrong, and does not count.
  private static func hasPassed(_ column: String, setAheadBy seconds: Int) -> String {
    "(\(column) <= now() OR \(column) > now() + interval '\(seconds + overlapSeconds) s')"
  }

  /// How much later than the statement that reads a moment the one that set it may have begun, in seconds: a row that
  /// another transaction has changed meanwhile is read again.
  private static let overlapSeconds = 60

  // One step of the walk for each channel with waiting news; the partial index has nothing else.
  private static let waiting = """
    waiting (channel_id) AS (
      (SELECT channel_id FROM deliveries WHERE status = 'pending' ORDER BY channel_id LIMIT 1)
      UNION ALL
      SELECT (SELECT d.channel_id FROM deliveries d WHERE d.status = 'pending' AND d.channel_id > waiting.channel_id
        ORDER BY d.channel_id LIMIT 1)
      FROM waiting WHERE waiting.channel_id IS NOT NULL
    )
    """

  static let claimFree = Statement(
    "courier.claim",
    """
    WITH RECURSIVE \(waiting), free AS (
      SELECT channels.id FROM waiting JOIN channels ON channels.id = waiting.channel_id
      WHERE \(isServed) AND \(hasPassed("next_attempt_at", setAheadBy: longestPauseSeconds))
        AND \(hasPassed("leased_until", setAheadBy: leaseSeconds))
        AND (EXISTS (
            SELECT 1 FROM deliveries w
            WHERE w.channel_id = channels.id AND w.status = 'pending'
              AND \(isOfChannel("w", confirmed: "channels.confirmed")))
          OR disabled_at IS NULL AND NOT \(isQuiet) AND \(digestIsDue))
        AND EXISTS (SELECT 1 FROM users WHERE users.id = channels.user_id AND NOT users.disabled)
      ORDER BY least(next_attempt_at, now()) LIMIT $2 FOR NO KEY UPDATE OF channels SKIP LOCKED
    )
    UPDATE channels SET lease = $1, leased_until = now() + make_interval(secs => $3) FROM free WHERE channels.id = free.id
    RETURNING channels.id, user_id, kind, target, secret
    """)

  // Expires news that was due a day ago or is outdated. What is older than two days comes from a restored backup.
  static let expire = Statement(
    "courier.expire",
    """
    UPDATE deliveries SET status = 'expired', ended_at = now()
    WHERE channel_id = $1 AND status = 'pending'
      AND (due_at < now() - interval '24 hours' OR created_at < now() - interval '48 hours' OR expires_at < now())
    """)

  /// Renews the lease and returns what is sent next: news of the channel itself first; of a digest all that waits, up
  /// to $4. News is due from when it could first be sent; beyond $4, it may have to wait for another digest.
  static let next = Statement(
    "courier.next",
    """
    WITH held AS (
      UPDATE channels SET leased_until = now() + make_interval(secs => $3)
      WHERE id = $1 AND lease = $2 AND \(isServed)
      RETURNING id, confirmed, digest, quiet_from,
        disabled_at IS NULL AND NOT \(isQuiet) AND \(digestIsDue) AS is_open
    ), due AS (
      UPDATE deliveries SET due_at = now() FROM held
      WHERE channel_id = held.id AND status = 'pending' AND due_at IS NULL
        AND (event = 'channel' OR is_open AND (digest IS NULL OR deliveries.id IN (
          SELECT w.id FROM deliveries w WHERE w.channel_id = $1 AND w.status = 'pending' AND w.event <> 'channel'
          ORDER BY w.id LIMIT $4)))
    )
    SELECT \(WaitingNews.columns),
      CASE WHEN digest IS NULL AND quiet_from IS NULL THEN d.created_at ELSE coalesce(d.due_at, now()) END
    FROM held JOIN deliveries d ON d.channel_id = held.id
    WHERE d.status = 'pending' AND (\(isOfChannel("d", confirmed: "held.confirmed")) OR held.is_open)
    ORDER BY d.event <> 'channel', d.id LIMIT (SELECT CASE
      WHEN digest IS NULL OR EXISTS (
        SELECT 1 FROM deliveries w WHERE w.channel_id = held.id AND w.status = 'pending' AND w.event = 'channel')
      THEN 1 ELSE $4 END FROM held)
    """)

  static let markDelivered = Statement(
    "courier.delivered",
    """
    WITH well AS (
      UPDATE channels SET failing_since = NULL, failures = 0 WHERE id = $2 AND failures > 0
    )
    UPDATE deliveries SET status = 'delivered', attempts = attempts + 1, attempted_at = now(), ended_at = now(),
      fault = NULL
    WHERE id = ANY ($1) AND status = 'pending'
    """)

  /// Returns how often each has been tried by now.
  static let markFailed = Statement(
    "courier.failed",
    """
    UPDATE deliveries SET attempts = attempts + 1, attempted_at = now(), fault = $2 WHERE id = ANY ($1)
    RETURNING attempts
    """)

  private static let isOver = "($4 OR failing_since < now() - interval '3 days' AND failures >= $7)"

  /// Releases a channel until its next attempt. Returns whether it is switched off instead; no row when another courier
  /// has its lease, or its owner has switched it off meanwhile.
  static let postpone = Statement(
    "courier.postpone",
    """
    UPDATE channels SET lease = NULL, leased_until = '-infinity', failures = failures + 1,
      failing_since = coalesce(failing_since, now()),
      next_attempt_at = now() + make_interval(secs => $6 * ($3)[least(failures + 1, cardinality($3))]),
      disabled_at = CASE WHEN \(isOver) THEN now() ELSE disabled_at END,
      disabled_because = CASE WHEN \(isOver) THEN $5 ELSE disabled_because END
    WHERE id = $1 AND lease = $2 AND \(isServed) RETURNING confirmed AND disabled_at IS NOT NULL
    """)

  /// Releases a channel for $3 seconds; 0 puts it behind those that wait for their turn.
  static let release = Statement(
    "courier.release",
    """
    UPDATE channels SET lease = NULL, leased_until = '-infinity', next_attempt_at = now() + make_interval(secs => $3)
    WHERE id = $1 AND lease = $2
    """)

  static let dropWaiting = Statement(
    "courier.drop",
    "UPDATE deliveries SET status = 'dropped', ended_at = now() WHERE channel_id = $1 AND status = 'pending'")

  static let longestWait = Statement(
    "courier.wait",
    """
    WITH RECURSIVE \(waiting)
    SELECT coalesce(max(extract(epoch FROM now() - (
      SELECT created_at FROM deliveries d WHERE d.channel_id = channels.id AND d.status = 'pending' ORDER BY d.id LIMIT 1
    ))), 0)::float8
    FROM waiting JOIN channels ON channels.id = waiting.channel_id
    WHERE disabled_at IS NULL AND failures = 0 AND digest IS NULL AND NOT \(isQuiet)
      AND EXISTS (SELECT 1 FROM users WHERE users.id = channels.user_id AND NOT users.disabled)
    """)
}
