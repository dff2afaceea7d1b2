import Redis

/// How events are kept and published: a stream for each garden, from which clients resume, and a channel that carries
/// the same events as text.
enum EventScripts {
  /// About how many events a stream keeps.
  static let maximumEvents: Int64 = 1_000
  /// How long a stream, and the mark that somebody watches, outlive the last watcher, in milliseconds: the 5 minutes in
  /// which a client may resume, and the time between two renewals.
  static let lifetimeMilliseconds: Int64 = 7 * 60_000

  /// Marks a garden as watched, or renews its mark. Keys: the mark and its stream. Arguments: their lifetime, the
  /// garden's channel, and the text of a gap without its id.
  ///
  /// Without the mark events were neither published nor kept, and without the stream they are kept no more. So both
  /// begin with a gap, for clients that watched when Redis lost them: it is published, kept and resumed from as events
  /// are.
  static let watch = RedisScript(
    """
    local isWatched = redis.call('EXISTS', KEYS[1], KEYS[2]) == 2
    redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
    if not isWatched then
      local id = redis.call('XADD', KEYS[2], '*', 'event', 'gap', 'data', '{}')
      redis.call('PUBLISH', ARGV[2], id .. '\\nid: ' .. id .. '\\n' .. ARGV[3])
    end
    redis.call('PEXPIRE', KEYS[2], ARGV[1])
    return 0
    """)

  /// Keeps and publishes events. Keys: for each garden the mark that it is watched, and its stream. Arguments: the
  /// bounds above, then for each garden its channel, the number of events, and for each its name and data.
  ///
  /// All events of a call are one message, so that a reader of the stream sees all of them or none.
  static let publish = RedisScript(
    """
    local at = 3
    for key = 1, #KEYS, 2 do
      local channel, n = ARGV[at], tonumber(ARGV[at + 1])
      if redis.call('EXISTS', KEYS[key]) == 1 then
        local text, id = {}, ''
        for event = at + 2, at + 2 * n, 2 do
          local name, data = ARGV[event], ARGV[event + 1]
          id = redis.call('XADD', KEYS[key + 1], 'MAXLEN', '~', ARGV[1], '*', 'event', name, 'data', data)
          text[#text + 1] = 'id: ' .. id .. '\\nevent: ' .. name .. '\\ndata: ' .. data .. '\\n\\n'
        end
        redis.call('PEXPIRE', KEYS[key + 1], ARGV[2])
        redis.call('PUBLISH', channel, id .. '\\n' .. table.concat(text))
      end
      at = at + 2 + 2 * n
    end
    return 0
    """)
}
